import { isPlatformError } from "../../errors/platform-error.ts";
import { backoffMs } from "../../lib/backoff.ts";
import type { Call } from "../call.ts";
import { isServiceError } from "../service-error.ts";

export interface RetryOptions {
  /** How often at most, with the first time. Default 3. */
  readonly attempts?: number;
  /** Wait before the second attempt; doubled for each further one. Default 100. */
  readonly firstMs?: number;
  /** Longest wait. Default 10,000. */
  readonly maxMs?: number;
  /** Takes up to half off each wait, so that callers do not come back all at once. Default true. */
  readonly jitter?: boolean;
  /**
   * Whether to try again after this error. Default: after all but a ServiceError, which is an
   * answer, and errors of the platform that another attempt cannot mend.
   */
  readonly when?: (error: unknown, attempt: number) => boolean;
}

/** What each attempt is told. */
export interface Attempt {
  /** From 1. */
  readonly attempt: number;
  /** The call's. */
  readonly signal: AbortSignal;
}

/**
 * Calls `work` until it returns, at most `attempts` times, waiting longer each time. Rejects with
 * the last error, at once when the next attempt would come after the call's deadline.
 */
export type Retry = <T>(
  work: (attempt: Attempt) => T | Promise<T>,
  options?: RetryOptions,
) => Promise<T>;

/** `ctx.retry` of one call. */
export function createRetry(call: Call): Retry {
  const { clock } = call.runtime.facilities;
  return async (work, options = {}) => {
    const { attempts = 3, firstMs = 100, maxMs = 10_000, jitter = true } = options;
    const { when = mayHelp } = options;
    const random = jitter ? Math.random : () => 1;
    const { signal } = call;
    for (let attempt = 1;; attempt++) {
      try {
        return await work({ attempt, signal });
      } catch (error) {
        const waitMs = backoffMs(attempt, { firstMs, maxMs, random });
        const isOver = signal.aborted || attempt >= attempts || waitMs >= call.remaining();
        if (isOver || !when(error, attempt)) throw error;
        await clock.delay(waitMs, signal);
      }
    }
  };
}

function mayHelp(error: unknown): boolean {
  if (isPlatformError(error)) return error.kind === "peer" || error.kind === "state";
  return !isServiceError(error);
}
