/** Remembers what may come only once. */
export interface ReplayStore {
  /** True when `id` was not there: it is from now on, for `ttlMs`. */
  remember(id: string, ttlMs: number): Promise<boolean>;
}

/** More messages within one window of freshness than one worker can answer. */
const idsMax = 500_000;

/** What one process has seen; forgets what has expired. */
export class ReplayMemory {
  readonly #expiries = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** True when `id` was not there; false also when there is no room for more. */
  remember(id: string, ttlMs: number): boolean {
    const now = this.#now();
    const expiry = this.#expiries.get(id);
    if (expiry !== undefined && expiry > now) return false;
    this.#sweep(now);
    if (this.#expiries.size >= idsMax) return false;
    this.#expiries.delete(id);
    this.#expiries.set(id, now + ttlMs);
    return true;
  }

  // The oldest stand first; a few of them are looked at with every new one.
  #sweep(now: number): void {
    let looks = 4;
    for (const [id, expiry] of this.#expiries) {
      if (expiry > now && --looks <= 0) return;
      if (expiry <= now) this.#expiries.delete(id);
    }
  }
}
