/** What one connection has done in this process, since it was opened. */
export class SenderFigures {
  calls = 0;
  /** Calls that ended without an answer, or with a status of 500 and above. */
  failures = 0;
  retries = 0;
  /** Attempts that went to another address than the first one. */
  failovers = 0;
  timeouts = 0;
  /** Calls that an open circuit breaker refused. */
  refused = 0;
  /** Calls that were not made because their time was over already. */
  dropped = 0;
  inFlight = 0;
  lastError: string | undefined;

  /** An attempt failed; whether the call does is not known yet. */
  saw(reason: string): void {
    this.lastError = `${reason}, at ${new Date().toISOString()}`;
  }

  /** A call failed. */
  fail(reason: string): void {
    this.failures++;
    this.saw(reason);
  }

  /** `connections`: how many were opened. */
  view(connections: number): Readonly<Record<string, number>> {
    const { calls, failures, retries, failovers, timeouts, refused, dropped, inFlight } = this;
    return {
      calls,
      failures,
      retries,
      failovers,
      timeouts,
      refused,
      dropped,
      inFlight,
      connections,
    };
  }
}
