import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Clock } from "../clock.ts";
import type { HeldLock } from "../durable-work.ts";

/** A lock that somebody gave us for a time. */
export interface LockGrant {
  readonly name: string;
  readonly token: number;
  readonly ttlMs: number;
  /** No later than when it was given, by the clock's `monotonic`. */
  readonly grantedAtMs: number;
  readonly clock: Clock;
  /** False: it is somebody else's by now. A rejection tells nothing: it is tried again. */
  renew(): Promise<boolean>;
  /** Must not reject. */
  release(): Promise<void>;
}

/**
 * What of a lock's time is not counted on: clocks of two machines drift apart, and whoever holds it
 * needs a moment to stop.
 */
const marginShare = 0.1;

/**
 * A lock that renews itself, at a third of its time, until it is released. Its signal is aborted
 * with LOCK_LOST before anybody else can have it, as far as this process's own clock can tell.
 */
export class KeptLock implements HeldLock {
  readonly #grant: LockGrant;
  readonly #lost = new AbortController();
  readonly #over = new AbortController();
  #validUntilMs: number;
  #releasing: Promise<void> | undefined;
  #lastFailure = "no answer came";

  constructor(grant: LockGrant) {
    this.#grant = grant;
    this.#validUntilMs = this.#validFrom(grant.grantedAtMs);
    void this.#renewAgain();
    void this.#watchTime();
  }

  get token(): number {
    return this.#grant.token;
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  release(): Promise<void> {
    this.#over.abort();
    // What was lost is not ours to release.
    return this.#releasing ??= this.#lost.signal.aborted
      ? Promise.resolve()
      : this.#grant.release();
  }

  async #renewAgain(): Promise<void> {
    const { clock, ttlMs } = this.#grant;
    let waitMs = ttlMs / 3;
    while (await this.#wait(waitMs)) {
      const askedAtMs = clock.monotonic();
      try {
        if (!await this.#grant.renew()) return this.#lose("Somebody else has it now");
        this.#validUntilMs = this.#validFrom(askedAtMs);
        waitMs = ttlMs / 3;
      } catch (error) {
        this.#lastFailure = reasonOf(error);
        waitMs = ttlMs / 10;
      }
    }
  }

  async #watchTime(): Promise<void> {
    const { clock } = this.#grant;
    while (await this.#wait(this.#validUntilMs - clock.monotonic())) {
      if (clock.monotonic() < this.#validUntilMs) continue;
      return this.#lose(`It could not be renewed in time: ${this.#lastFailure}`);
    }
  }

  #validFrom(grantedAtMs: number): number {
    return grantedAtMs + this.#grant.ttlMs * (1 - marginShare);
  }

  /** False when the lock is over. */
  async #wait(ms: number): Promise<boolean> {
    if (this.#over.signal.aborted) return false;
    try {
      await this.#grant.clock.delay(Math.max(0, ms), this.#over.signal);
    } catch {
      return false; // the delay was aborted
    }
    return true;
  }

  #lose(reason: string): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    const { name } = this.#grant;
    this.#lost.abort(new PlatformError("LOCK_LOST", { name }, { cause: new Error(reason) }));
  }
}
