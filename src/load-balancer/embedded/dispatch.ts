import type { LoadBalancerConfig } from "../../config/schemas.ts";
import { keyHeader, mayHaveKey } from "../../http/idempotency/key.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { delay } from "../../lib/wait.ts";
import type { ProblemStatus } from "../problems.ts";
import { attempt, type Failure, type Outcome, type OutgoingRequest } from "./attempt.ts";
import type { Backend } from "./backend.ts";
import type { BackendSet } from "./backend-set.ts";
import { headerValues } from "./headers.ts";
import type { SilenceWatch } from "./silence-watch.ts";

export type Delivery =
  | {
    readonly outcome: Exclude<Outcome, Failure>;
    /** The name of the server that took it. */
    readonly server: string;
    /** To be called when the exchange is over. */
    readonly done: () => void;
  }
  | { readonly problem: ProblemStatus }
  /** The client gave up: there is nobody to answer. */
  | "abandoned";

export interface DispatchOptions {
  readonly backends: BackendSet;
  readonly config: Pick<LoadBalancerConfig, "retries" | "timeouts">;
  readonly watch: SilenceWatch;
  readonly signal: AbortSignal;
}

/**
 * Sends a request to the server whose turn it is, and to another one when that fails and repeating
 * does no harm: always when no connection came about, else only for methods that change nothing, and
 * for requests with an idempotency key, whose whole body is at hand. Never rejects.
 */
export async function dispatch(
  request: OutgoingRequest,
  { backends, config, watch, signal }: DispatchOptions,
): Promise<Delivery> {
  const tried = new Set<Backend>();
  let failure: Failure | undefined;
  for (let round = 1; round <= config.retries + 1; round++) {
    const backend = backends.pick(tried, request.key) ??
      await pickAgain(backends, tried, { round, signal });
    if (signal.aborted) return "abandoned";
    if (backend === undefined) break;
    tried.add(backend);
    const done = backend.begin();
    const { connectMs } = config.timeouts;
    const outcome = await attempt(backend, request, { connectMs, watch, signal });
    if (outcome.type === "response" || outcome.type === "upgraded") {
      return { outcome, server: backend.name, done };
    }
    done();
    if (outcome.type === "abandoned") return "abandoned";
    failure = outcome;
    backend.countError();
    if (failure.type === "unreached") backends.noteUnreached(backend, failure.reason);
    else backends.recheck(backend);
    if (!mayRepeat(request, failure)) break;
  }
  return { problem: problemOf(failure) };
}

/** Every server was tried, or none is up: a retry waits a moment and may then go to any of them. */
async function pickAgain(
  backends: BackendSet,
  tried: Set<Backend>,
  { round, signal }: { readonly round: number; readonly signal: AbortSignal },
): Promise<Backend | undefined> {
  if (tried.size === 0) return undefined;
  await delay(backoffMs(round, { firstMs: 25 }), { signal }).catch(() => {}); // the caller looks at the signal
  tried.clear();
  return backends.pick(tried);
}

function mayRepeat({ method, headers, body }: OutgoingRequest, { type }: Failure): boolean {
  if (!body.isReplayable) return false;
  return type === "unreached" || !mayHaveKey(method) || headerValues(headers, keyHeader).length > 0;
}

function problemOf(failure: Failure | undefined): ProblemStatus {
  switch (failure?.type) {
    case "broken":
      return 502;
    case "silent":
      return 504;
    default:
      return 503;
  }
}
