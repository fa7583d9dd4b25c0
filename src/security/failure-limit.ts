import { PlatformError } from "../errors/platform-error.ts";

export interface FailureLimitOptions {
  /** Failures in a row that one caller is granted. */
  readonly failuresMax: number;
  /** How long until a caller is granted another failure. */
  readonly refillMs: number;
  /** Milliseconds of a clock that never goes back; tests inject their own. */
  readonly now?: () => number;
}

/** Callers whose failures are counted; the one unheard of for longest makes room. */
const callersMax = 10_000;

/** Counts failures against callers, so that guessing costs the one who guesses. */
export class FailureLimit {
  readonly #options: Required<FailureLimitOptions>;
  readonly #failures = new Map<string, { readonly count: number; readonly since: number }>();

  constructor(options: FailureLimitOptions) {
    this.#options = { now: () => performance.now(), ...options };
  }

  /** Throws REQUEST_TOO_MANY_ATTEMPTS when `caller` failed too often. */
  check(caller: string): void {
    const { failuresMax, refillMs } = this.#options;
    if (this.#current(caller).count < failuresMax) return;
    throw new PlatformError("REQUEST_TOO_MANY_ATTEMPTS", {}, { retryAfterMs: refillMs });
  }

  /** Counts one failure. */
  count(caller: string): void {
    const { count, since } = this.#current(caller);
    if (this.#failures.size >= callersMax && !this.#failures.has(caller)) {
      const [oldest] = this.#failures.keys();
      if (oldest !== undefined) this.#failures.delete(oldest);
    }
    this.#failures.delete(caller);
    this.#failures.set(caller, { count: count + 1, since });
  }

  /** Forgets what `caller` failed at. */
  forgive(caller: string): void {
    this.#failures.delete(caller);
  }

  #current(caller: string): { readonly count: number; readonly since: number } {
    const { now, refillMs } = this.#options;
    const before = this.#failures.get(caller);
    if (before === undefined) return { count: 0, since: now() };
    const forgiven = Math.floor((now() - before.since) / refillMs);
    const count = Math.max(0, before.count - forgiven);
    return { count, since: count === 0 ? now() : before.since + forgiven * refillMs };
  }
}
