export interface BackoffOptions {
  /** Wait before the second attempt. Default 100. */
  readonly firstMs?: number;
  /** Longest wait. Default 30,000. */
  readonly maxMs?: number;
  /** Default Math.random; tests inject their own. */
  readonly random?: () => number;
}

/**
 * Exponential back-off with full jitter above half: attempt 1 waits between half and all of
 * `firstMs`, each further attempt doubles that, up to `maxMs`. `attempt` counts from 1.
 */
export function backoffMs(
  attempt: number,
  { firstMs = 100, maxMs = 30_000, random = Math.random }: BackoffOptions = {},
): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling / 2 + random() * ceiling / 2);
}
