/**
 * The time that one call of another system may take, all its attempts together: until `limitMs`
 * have passed, or until the call that it is made for ends.
 */
export class Flight {
  readonly endsAt: number;
  readonly #abort = new AbortController();
  readonly #caller: AbortSignal;
  readonly #onCallerAbort: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(caller: AbortSignal, limitMs: number, onTimeout: () => Error) {
    this.endsAt = performance.now() + limitMs;
    this.#caller = caller;
    this.#onCallerAbort = () => this.#abort.abort(caller.reason);
    if (caller.aborted) this.#onCallerAbort();
    else caller.addEventListener("abort", this.#onCallerAbort, { once: true });
    this.#timer = setTimeout(() => this.#abort.abort(onTimeout()), limitMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Milliseconds that are left, never below 0. */
  remainingMs(): number {
    return Math.max(0, this.endsAt - performance.now());
  }

  /** Ends the time limit; what is still being read goes on, until the caller itself ends. */
  stopClock(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Nothing is under way any more. */
  end(): void {
    this.stopClock();
    this.#caller.removeEventListener("abort", this.#onCallerAbort);
  }
}
