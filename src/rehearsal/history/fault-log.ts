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
  /**
   * While it lasts nobody is there to serve: a request of any method that was under way then may
   * fail. What lasts from `atMs` to `untilMs` ends with the first good answer.
   */
  readonly leavesNobody?: true;
  /** While it lasts requests may be refused: answered with 429 or 503, and not executed. */
  readonly mayRefuse?: true;
}

/** When a request was under way. */
interface Span {
  readonly sentAtMs: number;
  readonly endedAtMs: number;
}

/** Whether a fault accounts for the loss of a request that must not be repeated. */
export function isAccountedFor(request: Span, faults: readonly FaultRecord[]): boolean {
  return hadNobody(request, faults) ||
    faults.some(({ atMs, costsUntilMs }) =>
      costsUntilMs !== undefined && overlaps(request, atMs, costsUntilMs)
    );
}

/** Whether there was a time during a request at which no server lived to answer it. */
export function hadNobody(request: Span, faults: readonly FaultRecord[]): boolean {
  return faults.some(({ atMs, untilMs = Infinity, leavesNobody = false }) =>
    leavesNobody && overlaps(request, atMs, untilMs)
  );
}

/** Whether a request was refused at a time when that is what is promised. */
export function wasTurnedAway(
  request: Span & { readonly reason?: string },
  faults: readonly FaultRecord[],
): boolean {
  const { reason } = request;
  return (reason === "status 503" || reason === "status 429") &&
    faults.some(({ atMs, untilMs = Infinity, mayRefuse = false }) =>
      mayRefuse && overlaps(request, atMs, untilMs)
    );
}

function overlaps({ sentAtMs, endedAtMs }: Span, fromMs: number, toMs: number): boolean {
  return sentAtMs <= toMs && endedAtMs >= fromMs;
}
