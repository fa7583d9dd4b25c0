import type { Outgoing } from "../../../src/connectors/contract.ts";
import { driver } from "../../../src/connectors/soap-outgoing/outgoing.ts";
import { kinds } from "../../../src/connectors/registry.ts";
import { isPlatformError, PlatformError } from "../../../src/errors/platform-error.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { sealSpec } from "../../../src/security/secrets.ts";
import type { Call } from "../../../src/service/call.ts";
import type { SoapClient } from "../../../src/service/outgoing/soap-client.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { clusterKey, object } from "../data-plane/worker-process.ts";

const key = parseClusterKey(clusterKey);

export interface OpenedSoap extends AsyncDisposable {
  readonly outgoing: Outgoing<SoapClient>;
  /** A client for a call with 10 s to go. */
  readonly soap: SoapClient;
}

/** A SoapOutgoing "ERP", as a worker opens it. */
export async function openSoap(spec: Readonly<Record<string, unknown>>): Promise<OpenedSoap> {
  const kind = kinds.get("SoapOutgoing")!;
  const sealed = await sealSpec(kind, kind.schema.parse(spec), { key, name: "ERP" });
  const outgoing = driver.open(object("SoapOutgoing", "ERP", sealed), {
    key,
    cluster: "test",
    server: "server-1",
    logger: createLogger(),
    object(_group, name) {
      throw new PlatformError("OUTGOING_UNUSABLE", { kind: "", name, reason: "missing" });
    },
  }) as Outgoing<SoapClient>; // what this driver opens
  return {
    outgoing,
    soap: outgoing.client(call()),
    [Symbol.asyncDispose]: () => outgoing.close(),
  };
}

/** As much of a call as an outgoing connection looks at. */
function call(): Call {
  const endsAt = performance.now() + 10_000;
  return {
    signal: new AbortController().signal,
    remaining: () => Math.max(0, endsAt - performance.now()),
    request: { cid: "cid-1", traceparent: undefined },
  } as unknown as Call; // the rest is the services'
}

/** The error of the platform that a call ends with. */
export async function refusal(promise: Promise<unknown>): Promise<PlatformError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  if (isPlatformError(error)) return error;
  throw new Error(`not an error of the platform: ${error}`, { cause: error });
}
