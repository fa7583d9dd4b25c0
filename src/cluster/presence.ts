/** Reports come every two seconds; when none was written for so long, that is no mere delay. */
const gapMaxMs = 6_000;
/** A server that was silent for so long, by database time, is believed to be gone. */
const silenceMs = 10_000;

/**
 * What this server's own reports in the ODB say of it to the others, and what it may say of them.
 * While the ODB is away all servers are silent, and when it is back each of them needs a moment to
 * report.
 */
export class Presence {
  readonly #now: () => number;
  /** Of the first report of an unbroken row, and of the last one. */
  #since = -Infinity;
  #at = -Infinity;

  /** `now`: a clock that is never set, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The report that was begun at `at` has been written. */
  reported(at: number): void {
    if (at - this.#at > gapMaxMs) this.#since = at;
    this.#at = at;
  }

  /** The others know that this server lives. */
  get isSeen(): boolean {
    return this.#now() - this.#at <= gapMaxMs;
  }

  /** It could report for as long as another one must be silent to be believed gone. */
  get judgesSilence(): boolean {
    return this.isSeen && this.#now() - this.#since >= silenceMs;
  }
}
