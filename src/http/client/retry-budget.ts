/** What one call adds to the budget: of a hundred calls, twenty may be repeated. */
const perCall = 0.2;
/** So that a connection with few calls can repeat one, and one with many has no hoard. */
const tokensMax = 10;

/**
 * Bounds the repetitions of a connection to a share of its calls. When the other side fails most of
 * them, each caller's retries would multiply the load that it cannot carry.
 */
export class RetryBudget {
  #tokens = tokensMax;

  /** A call is made for the first time. */
  deposit(): void {
    this.#tokens = Math.min(tokensMax, this.#tokens + perCall);
  }

  /** True: the call may be repeated once. */
  withdraw(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
