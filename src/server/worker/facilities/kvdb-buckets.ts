import type { BucketStore } from "../../../http/rate-limit/shared-buckets.ts";
import type { KvdbCommands } from "../../../kvdb/client.ts";

/** How long the difference between the clocks is believed. */
const clockMs = 60_000;

/** The buckets of rate limits in the KVDB. */
export class KvdbBuckets implements BucketStore {
  readonly #kvdb: KvdbCommands;
  readonly #prefix: string;
  #aheadMs = 0;
  #askedAt = -Infinity;

  constructor(kvdb: KvdbCommands, cluster: string) {
    this.#kvdb = kvdb;
    this.#prefix = `dragoman:${cluster}:rate:`;
  }

  async add(key: string, amount: number): Promise<number> {
    if (performance.now() - this.#askedAt > clockMs) await this.#compareClocks();
    return Number(await this.#kvdb.command(["INCRBY", this.#prefix + key, String(amount)]));
  }

  async expireAt(key: string, at: number): Promise<void> {
    await this.#kvdb.command(["PEXPIREAT", this.#prefix + key, String(at)]);
  }

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  async #compareClocks(): Promise<void> {
    const before = this.#askedAt;
    this.#askedAt = performance.now();
    try {
      // TIME answers seconds and microseconds.
      const [seconds, micros] = await this.#kvdb.command(["TIME"]) as readonly unknown[];
      this.#aheadMs = Number(seconds) * 1_000 + Number(micros) / 1_000 - Date.now();
    } catch (error) {
      this.#askedAt = before;
      throw error;
    }
  }
}
