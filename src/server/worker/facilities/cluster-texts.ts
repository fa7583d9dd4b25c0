import { isPlatformError } from "../../../errors/platform-error.ts";
import type { KvdbCommands } from "../../../kvdb/client.ts";
import type { Clock } from "../../../service/clock.ts";
import { MemoryTexts } from "../../../service/facilities/memory-texts.ts";
import type { TextStore } from "../../../service/facilities/text-store.ts";
import type { CacheSpec } from "../../../service/kinds/cache.ts";
import type { Logger } from "../../../telemetry/logger.ts";

/** How long a value is kept in this worker alone while the KVDB is away. */
const aloneMs = 10_000;
/** Keys that were changed while the KVDB was away; beyond, everything is forgotten. */
const owedMax = 10_000;
/** Keys that one command removes. */
const removedAtOnce = 1_000;

export interface ClusterTextsOptions {
  readonly cluster: string;
  readonly name: string;
  readonly kvdb: KvdbCommands;
  readonly clock: Clock;
  readonly limits: ClusterLimits;
  readonly logger: Logger;
}

type ClusterLimits = Pick<CacheSpec, "maxEntries" | "bytesMax" | "extendOnGet">;

/**
 * Texts in the KVDB, which all servers share. Beside them stands a sorted set of their keys by the
 * time at which they expire: it says how many there are, and which goes first.
 *
 * While the KVDB is away each worker keeps values for a few seconds on its own, and remembers which
 * keys it changed: when the KVDB is back these are forgotten there before anything is read, so that
 * a value from before the outage does not come back over what replaced it.
 */
export class ClusterTexts implements TextStore {
  readonly #name: string;
  readonly #kvdb: KvdbCommands;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #prefix: string;
  readonly #index: string;
  readonly #alone: MemoryTexts;
  #limits: ClusterLimits;
  #owed = new Set<string>();
  #owesAll = false;
  #paying: Promise<void> | undefined;
  #isAlone = false;

  constructor({ cluster, name, kvdb, clock, limits, logger }: ClusterTextsOptions) {
    this.#name = name;
    this.#logger = logger;
    this.#kvdb = kvdb;
    this.#clock = clock;
    this.#prefix = `dragoman:${cluster}:cache:${name}:`;
    this.#index = `dragoman:${cluster}:cache-index:${name}`;
    this.#limits = limits;
    this.#alone = new MemoryTexts(limits, clock);
  }

  use(limits: ClusterLimits): void {
    this.#limits = limits;
    this.#alone.use(limits);
  }

  get(key: string): Promise<string | undefined> {
    return this.#reach(() => this.#read(key), () => this.#alone.get(key));
  }

  set(key: string, text: string, ttlMs: number): Promise<void> {
    return this.#reach(() => this.#write(key, text, Math.ceil(ttlMs)), () => {
      this.#owe(key);
      return this.#alone.set(key, text, Math.min(ttlMs, aloneMs));
    });
  }

  delete(key: string): Promise<boolean> {
    return this.#reach(async () => {
      const [removed] = await this.#kvdb.transaction([
        ["UNLINK", this.#prefix + key],
        ["ZREM", this.#index, key],
      ]);
      return removed === 1;
    }, () => {
      this.#owe(key);
      return this.#alone.delete(key);
    });
  }

  clear(): Promise<void> {
    return this.#reach(() => this.#removeAll(), () => {
      this.#owesAll = true;
      return this.#alone.clear();
    });
  }

  /** Does it in the KVDB; in this worker alone while the KVDB is away, or refuses it. */
  async #reach<T>(shared: () => Promise<T>, alone: () => Promise<T>): Promise<T> {
    try {
      if (this.#owesAll || this.#owed.size > 0 || this.#paying) await this.#pay();
      const result = await shared();
      this.#setAlone(false);
      return result;
    } catch (error) {
      if (!isPlatformError(error) || error.kind !== "peer") throw error;
      this.#setAlone(true, error.message);
      return await alone();
    }
  }

  #setAlone(isAlone: boolean, reason?: string): void {
    if (this.#isAlone === isAlone) return;
    this.#isAlone = isAlone;
    const about = { cache: this.#name, reason };
    if (isAlone) this.#logger.warn("The cache is this worker's alone for now", about);
    else this.#logger.info("The cache is the cluster's again", about);
  }

  // The time that an entry was given stands before its text, to begin it anew.
  async #read(key: string): Promise<string | undefined> {
    const name = this.#prefix + key;
    const kept = await this.#kvdb.command(["GET", name]);
    if (typeof kept !== "string") return undefined;
    const mark = kept.indexOf(":");
    if (this.#limits.extendOnGet) {
      const ttlMs = Number(kept.slice(0, mark));
      await this.#kvdb.transaction([
        ["PEXPIRE", name, ttlMs],
        ["ZADD", this.#index, "XX", this.#clock.now() + ttlMs, key],
      ]);
    }
    return kept.slice(mark + 1);
  }

  async #write(key: string, text: string, ttlMs: number): Promise<void> {
    const now = this.#clock.now();
    const replies = await this.#kvdb.transaction([
      ["SET", this.#prefix + key, `${ttlMs}:${text}`, "PX", ttlMs],
      ["ZADD", this.#index, now + ttlMs, key],
      ["ZREMRANGEBYSCORE", this.#index, "-inf", now],
      ["ZCARD", this.#index],
    ]);
    const excess = Number(replies[3]) - this.#limits.maxEntries;
    if (excess > 0) await this.#removeFirst(excess);
  }

  /** Removes the entries that would expire first; false when there are no more. */
  async #removeFirst(count: number): Promise<boolean> {
    const popped = await this.#kvdb.command(["ZPOPMIN", this.#index, count]);
    const keys = keysOf(popped).map((key) => this.#prefix + key);
    if (keys.length === 0) return false;
    await this.#kvdb.command(["UNLINK", ...keys]);
    return true;
  }

  async #removeAll(): Promise<void> {
    while (await this.#removeFirst(removedAtOnce));
  }

  #owe(key: string): void {
    if (this.#owed.size < owedMax) this.#owed.add(key);
    else this.#owesAll = true;
  }

  #pay(): Promise<void> {
    return this.#paying ??= this.#forgetOwed().finally(() => this.#paying = undefined);
  }

  async #forgetOwed(): Promise<void> {
    const keys = [...this.#owed];
    const all = this.#owesAll;
    this.#owed = new Set();
    this.#owesAll = false;
    try {
      if (all) await this.#removeAll();
      else await this.#remove(keys);
      await this.#alone.clear();
    } catch (error) {
      this.#owesAll ||= all;
      for (const key of keys) this.#owe(key);
      throw error;
    }
  }

  async #remove(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += removedAtOnce) {
      const some = keys.slice(at, at + removedAtOnce);
      await this.#kvdb.transaction([
        ["UNLINK", ...some.map((key) => this.#prefix + key)],
        ["ZREM", this.#index, ...some],
      ]);
    }
  }
}

/** Members of what ZPOPMIN replies: `[member, score, ...]`, or pairs of them in RESP3. */
function keysOf(popped: unknown): readonly string[] {
  if (!Array.isArray(popped)) return [];
  const flat: readonly unknown[] = popped.flat();
  return flat.filter((_, index) => index % 2 === 0).map(String);
}
