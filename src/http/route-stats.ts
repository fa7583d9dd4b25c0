/** Figures of one channel since the process started. */
export class RouteStats {
  requestsTotal = 0;
  /** Answers with a status of 500 and above. */
  errorsTotal = 0;
  durationMsTotal = 0;
  /** Requests whose time was over before their service had answered; it may still be running. */
  timeoutsTotal = 0;

  record(status: number, durationMs: number): void {
    this.requestsTotal++;
    if (status >= 500) this.errorsTotal++;
    this.durationMsTotal += durationMs;
  }
}
