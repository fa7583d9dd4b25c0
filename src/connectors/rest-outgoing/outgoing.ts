import type { StoredObject } from "../../catalog/kind.ts";
import { openHttpSender } from "../../http/client/connection-fields.ts";
import { createPingCall } from "../../http/client/ping.ts";
import { openCredential } from "../../security/credentials/open-credential.ts";
import type { RestClient } from "../../service/outgoing/rest-client.ts";
import type { Outgoing, OutgoingDriver, OutgoingHost } from "../contract.ts";
import { createRestCaller } from "./client.ts";
import { restOutgoing } from "./index.ts";

/** Opens RestOutgoing objects. */
export const driver: OutgoingDriver = {
  open(object: StoredObject, host: OutgoingHost): Outgoing<RestClient> {
    const { name } = object;
    const spec = restOutgoing.schema.parse(object.spec);
    const credential = spec.credential === undefined
      ? undefined
      : openCredential(host.object("credential", spec.credential), host.key);
    const sender = openHttpSender(object, spec, { key: host.key, credential });
    const connection = { name, spec, sender };
    return {
      client: (call) => createRestCaller(connection, call),
      ping: (signal) =>
        sender.ping({
          method: spec.ping.method,
          target: spec.path + spec.ping.path,
          headers: { ...spec.headers, "user-agent": "dragoman" },
          isIdempotent: true,
          call: createPingCall(signal),
        }),
      status: () => sender.status(),
      close: () => sender.close(),
    };
  },
};
