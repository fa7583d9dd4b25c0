import assert from "node:assert/strict";
import type { StoredObject } from "../../../src/catalog/kind.ts";
import type { Outgoing } from "../../../src/connectors/contract.ts";
import { driver } from "../../../src/connectors/rest-outgoing/outgoing.ts";
import { kinds } from "../../../src/connectors/registry.ts";
import { isPlatformError, PlatformError } from "../../../src/errors/platform-error.ts";
import { generateClusterKey, parseClusterKey } from "../../../src/security/cluster-key.ts";
import { sealSpec } from "../../../src/security/secrets.ts";
import type { Call } from "../../../src/service/call.ts";
import type { RestClient } from "../../../src/service/outgoing/rest-client.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";

const key = parseClusterKey(generateClusterKey());

export interface OpenedRest extends AsyncDisposable {
  readonly outgoing: Outgoing<RestClient>;
  /** A client for a call with 10 s to go. */
  readonly rest: RestClient;
}

/** A RestOutgoing "CRM", as a worker opens it. */
export async function openRest(
  spec: Readonly<Record<string, unknown>>,
  others: readonly StoredObject[] = [],
): Promise<OpenedRest> {
  const outgoing = driver.open(await stored("RestOutgoing", "CRM", spec), {
    key,
    cluster: "test",
    server: "server-1",
    logger: createLogger(),
    object(_group, name) {
      const found = others.find((other) => other.name === name);
      if (found !== undefined) return found;
      throw new PlatformError("OUTGOING_UNUSABLE", { kind: "", name, reason: "missing" });
    },
  }) as Outgoing<RestClient>; // what this driver opens
  return {
    outgoing,
    rest: outgoing.client(call()),
    [Symbol.asyncDispose]: () => outgoing.close(),
  };
}

/** An object as the ODB holds it, its secrets sealed. */
export async function stored(
  kind: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<StoredObject> {
  const at = "2026-01-01T00:00:00.000Z";
  const declared = kinds.get(kind)!;
  const sealed = await sealSpec(declared, declared.schema.parse(spec), { key, name });
  return {
    kind,
    name,
    spec: sealed,
    revision: 1,
    createdAt: at,
    updatedAt: at,
    updatedBy: "test",
  };
}

/** As much of a call as an outgoing connection looks at. */
export function call(
  { remainingMs = 10_000, signal = new AbortController().signal, traceparent }: {
    readonly remainingMs?: number;
    readonly signal?: AbortSignal;
    readonly traceparent?: string;
  } = {},
): Call {
  const endsAt = performance.now() + remainingMs;
  return {
    signal,
    remaining: () => Math.max(0, endsAt - performance.now()),
    request: { cid: "cid-1", traceparent },
  } as unknown as Call; // the rest is the services'
}

/** The error of the platform that a call ends with. */
export async function refusal(promise: Promise<unknown>): Promise<PlatformError> {
  const error = await promise.then(() => undefined, (error: unknown) => error);
  assert.ok(isPlatformError(error), `not an error of the platform: ${error}`);
  return error;
}
