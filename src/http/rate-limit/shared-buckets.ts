import { judge, type Rate, type Verdict } from "./bucket.ts";

/** What shared buckets need of the KVDB. */
export interface BucketStore {
  /** Adds to the number under `key`, which begins at 0; answers the new one. */
  add(key: string, amount: number): Promise<number>;
  /** Forgets `key` at this time of the KVDB's clock, in ms since 1970. */
  expireAt(key: string, at: number): Promise<void>;
  /** The KVDB's clock, in ms since 1970: the clocks of servers may differ. */
  now(): number;
}

// Numbers below this have no time in them yet: 2001 in microseconds.
const timesBegin = 1e15;

/**
 * Buckets that all servers share. A bucket's number (see `bucket.ts`, in microseconds, because the
 * KVDB adds whole numbers) is only ever added to, so that no request is counted twice or lost,
 * whoever comes in between. A full bucket has no number: it expires at the very time at which it
 * is full, and whoever finds none puts the time in.
 */
export class SharedBuckets {
  readonly #store: BucketStore;

  constructor(store: BucketStore) {
    this.#store = store;
  }

  /** Takes one token of the bucket `key`. Rejects when the KVDB does not answer. */
  async take(key: string, rate: Rate): Promise<Verdict> {
    const interval = Math.max(1, Math.round(rate.intervalMs * 1_000));
    let fullAt = await this.#store.add(key, interval);
    const now = this.#store.now();
    if (fullAt === interval) fullAt = await this.#store.add(key, Math.round(now * 1_000));
    // Somebody else is putting the time in at this moment: the bucket has hardly been used.
    if (fullAt < timesBegin) fullAt += Math.round(now * 1_000);
    const verdict = judge(fullAt / 1_000, now, rate);
    if (verdict.ok) await this.#store.expireAt(key, Math.ceil(fullAt / 1_000));
    else await this.#store.add(key, -interval);
    return verdict;
  }
}
