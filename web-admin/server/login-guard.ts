import { PlatformError } from "../../src/errors/platform-error.ts";

const firstDelayMs = 15_000;
const longestDelayMs = 15 * 60_000;
/** Tries are forgotten when nothing was tried for this long. */
const forgetMs = 60 * 60_000;

/** Wrong tries that are free: of one user from one address, and of one address for all users. */
const freeTries = { user: 5, address: 25 } as const;

interface Tries {
  readonly wrong: number;
  readonly lastAt: number;
  readonly lockedUntil: number;
}

/**
 * Slows down guessing. After 5 wrong tries of a user from an address (25 of the address) each
 * further one must wait, 15 s at first and twice as long every time, up to 15 minutes.
 * Kept in memory, at most `capacity` entries.
 */
export class LoginGuard {
  readonly #tries = new Map<string, Tries>();
  readonly #now: () => number;
  readonly #capacity: number;

  constructor(
    { now = Date.now, capacity = 10_000 }: {
      readonly now?: () => number;
      readonly capacity?: number;
    } = {},
  ) {
    this.#now = now;
    this.#capacity = capacity;
  }

  /**
   * Announces a try; throws WEB_ADMIN_LOCKED when it comes too early. It counts as wrong until
   * `succeeded` is called, so that many at once are not free either.
   */
  begin(username: string, address: string): void {
    const now = this.#now();
    const keys = keysOf(username, address);
    const lockedUntil = Math.max(...Object.values(keys).map((key) => this.#get(key).lockedUntil));
    if (lockedUntil > now) {
      const retryAfterMs = lockedUntil - now;
      const seconds = Math.ceil(retryAfterMs / 1000);
      throw new PlatformError("WEB_ADMIN_LOCKED", { seconds }, { retryAfterMs });
    }
    this.#count(keys.user, freeTries.user);
    this.#count(keys.address, freeTries.address);
  }

  /** The password was right: that user's tries are forgotten, and the address's last one. */
  succeeded(username: string, address: string): void {
    const keys = keysOf(username, address);
    this.#tries.delete(keys.user);
    const { wrong, lastAt } = this.#get(keys.address);
    this.#put(keys.address, { wrong: Math.max(0, wrong - 1), lastAt, lockedUntil: 0 });
  }

  #count(key: string, free: number): void {
    const now = this.#now();
    const wrong = this.#get(key).wrong + 1;
    const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(wrong - free, 16));
    this.#put(key, { wrong, lastAt: now, lockedUntil: wrong < free ? 0 : now + delayMs });
  }

  #get(key: string): Tries {
    const tries = this.#tries.get(key);
    const isFresh = tries !== undefined && this.#now() - tries.lastAt <= forgetMs;
    return isFresh ? tries : { wrong: 0, lastAt: 0, lockedUntil: 0 };
  }

  #put(key: string, tries: Tries): void {
    // Maps keep insertion order: taking it out first keeps the least recently tried in front.
    this.#tries.delete(key);
    this.#tries.set(key, tries);
    for (const oldest of this.#tries.keys()) {
      if (this.#tries.size <= this.#capacity) break;
      this.#tries.delete(oldest);
    }
  }
}

function keysOf(username: string, address: string): { user: string; address: string } {
  return { user: `${address}\n${username.toLowerCase()}`, address };
}
