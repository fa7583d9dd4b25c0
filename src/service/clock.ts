/** Time as services see it; tests bring their own. */
export interface Clock {
  /** The wall clock, in milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a clock that never goes back. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when that is aborted. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}
