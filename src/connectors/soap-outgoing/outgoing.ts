import type { StoredObject } from "../../catalog/kind.ts";
import { openHttpSender } from "../../http/client/connection-fields.ts";
import { createPingCall } from "../../http/client/ping.ts";
import { openCredential } from "../../security/credentials/open-credential.ts";
import type { SoapClient } from "../../service/outgoing/soap-client.ts";
import { choosePort } from "../../soap/wsdl/choose-port.ts";
import { readWsdl } from "../../soap/wsdl/read-wsdl.ts";
import type { Outgoing, OutgoingDriver, OutgoingHost } from "../contract.ts";
import { SoapCaller } from "./client.ts";
import { soapOutgoing } from "./index.ts";
import { openMessageSecurity } from "./message-security.ts";

/** Opens SoapOutgoing objects. */
export const driver: OutgoingDriver = {
  open(object: StoredObject, host: OutgoingHost): Outgoing<SoapClient> {
    const { name } = object;
    const spec = soapOutgoing.schema.parse(object.spec);
    const wsdl = readWsdl(spec.wsdl);
    const port = choosePort(wsdl, spec);
    const credential = spec.credential === undefined
      ? undefined
      : openCredential(host.object("credential", spec.credential), host.key);
    const address = spec.address ?? port.address;
    const sender = openHttpSender(object, { ...spec, address }, { key: host.key, credential });
    const security = openMessageSecurity(object, spec, host.key);
    const connection = { name, spec, sender, port, types: wsdl.types, security };
    return {
      client: (call) => new SoapCaller(connection, call),
      // Most servers answer their WSDL, and those that do not answer 405 or a fault: all are there.
      ping: (signal) =>
        sender.ping({
          method: "GET",
          target: "?wsdl",
          headers: { "user-agent": "dragoman" },
          isIdempotent: true,
          call: createPingCall(signal),
        }),
      status: () => sender.status(),
      close: () => sender.close(),
    };
  },
};
