/** One fault as it was injected. Times are those of `performance.now()`. */
export interface FaultRecord {
  /** As people read it: `server1 killed (SIGKILL)`. */
  readonly what: string;
  readonly atMs: number;
  /** When it was over; undefined while it lasts, and for what happens in a moment. */
  untilMs?: number;
  /**
   * For how long after `atMs` a request that must not be repeated may be lost: the one that was in
   * flight, and those that the balancer sent before it could know. Absent: none may.
   */
  readonly costsUntilMs?: number;
}

/** Whether a fault accounts for the loss of a request that was under way from one time to another. */
export function isAccountedFor(
  { sentAtMs, endedAtMs }: { readonly sentAtMs: number; readonly endedAtMs: number },
  faults: readonly FaultRecord[],
): boolean {
  return faults.some(({ atMs, costsUntilMs }) =>
    costsUntilMs !== undefined && sentAtMs <= costsUntilMs && endedAtMs >= atMs
  );
}
