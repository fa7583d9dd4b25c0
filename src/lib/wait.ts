import { setTimeout as sleep } from "node:timers/promises";

/** Resolves after `ms`; rejects at once with the signal's reason when it is aborted. */
export async function delay(ms: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted(); // the timer's own error only wraps the reason
    throw error;
  }
}

export interface PollOptions {
  readonly timeoutMs: number;
  /** Default 50. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Calls `probe` until it returns something other than undefined, and returns that.
 * Returns undefined when `timeoutMs` has passed. What `probe` throws is thrown.
 */
export async function poll<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  { timeoutMs, intervalMs = 50, signal }: PollOptions,
): Promise<T | undefined> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    const leftMs = until - performance.now();
    if (leftMs <= 0) return undefined;
    await delay(Math.min(intervalMs, leftMs), signal ? { signal } : {});
  }
}

/** Rejects with `onTimeout()` when `promise` has not settled within `ms`. */
export async function withTimeout<T>(
  promise: Promise<T>,
  ms: number,
  onTimeout: () => Error,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(onTimeout()), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `ms`, or as soon as `sleeper.wake` is called, which this replaces. */
export function pause(sleeper: { wake: () => void }, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    sleeper.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}
