import { PlatformError } from "../errors/platform-error.ts";
import { FailureLimit } from "./failure-limit.ts";
import { verifyPassword } from "./passwords.ts";

export interface PasswordChecksOptions {
  /** Checks at one time; each keeps a core busy for about 100 ms. Default 2. */
  readonly parallel?: number;
  /** Checks that may wait for their turn; one more is refused. Default 32. */
  readonly waitingMax?: number;
  /** Failures in a row that one caller is granted. Default 10. */
  readonly failuresMax?: number;
  /** How long until a caller is granted another failure. Default 1,000. */
  readonly refillMs?: number;
  /** Milliseconds of a clock that never goes back; tests inject their own. */
  readonly now?: () => number;
}

/**
 * Checks passwords without letting strangers keep the processor busy: few at a time, a short
 * queue, and a limit on failures for each caller.
 */
export class PasswordChecks {
  readonly #options: Required<PasswordChecksOptions>;
  readonly #waiting: (() => void)[] = [];
  readonly #failures: FailureLimit;
  #running = 0;

  constructor(options: PasswordChecksOptions = {}) {
    const now = () => performance.now();
    const defaults = { parallel: 2, waitingMax: 32, failuresMax: 10, refillMs: 1_000, now };
    this.#options = { ...defaults, ...options };
    this.#failures = new FailureLimit(this.#options);
  }

  /**
   * True when `password` is the one that was hashed. Throws REQUEST_TOO_MANY_ATTEMPTS when `caller`
   * failed too often and REQUEST_AUTHENTICATION_BUSY when too many checks wait.
   */
  async verify(password: string, hash: string, caller: string): Promise<boolean> {
    // Counted before it is known to be one, so that attempts side by side do not slip through.
    this.#failures.check(caller);
    this.#failures.count(caller);
    await this.#enter();
    try {
      const right = await verifyPassword(password, hash);
      if (right) this.#failures.forgive(caller);
      return right;
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<void> {
    const { parallel, waitingMax } = this.#options;
    if (this.#running < parallel) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= waitingMax) {
      throw new PlatformError("REQUEST_AUTHENTICATION_BUSY", {}, { retryAfterMs: 1_000 });
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    // The place goes straight to the next in line.
    if (next === undefined) this.#running--;
    else next();
  }
}
