import type { Clock } from "../clock.ts";
import type { CacheSpec } from "../kinds/cache.ts";
import type { TextStore } from "./text-store.ts";

/** What a cache in memory may take. */
export type MemoryLimits = Pick<CacheSpec, "maxEntries" | "bytesMax" | "extendOnGet">;

interface Entry {
  readonly text: string;
  readonly bytes: number;
  readonly ttlMs: number;
  expiresAt: number;
}

/** Texts in memory; the least recently used goes first. Time is looked at when a key is. */
export class MemoryTexts implements TextStore {
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #clock: Clock;
  #limits: MemoryLimits;
  #bytes = 0;

  constructor(limits: MemoryLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** With those that nobody has looked at since their time was over. */
  get size(): number {
    return this.#entries.size;
  }

  /** From now on other limits hold; what is beyond them goes. */
  use(limits: MemoryLimits): void {
    this.#limits = limits;
    this.#makeRoom();
  }

  get(key: string): Promise<string | undefined> {
    const entry = this.#find(key);
    if (entry === undefined) return Promise.resolve(undefined);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#limits.extendOnGet) entry.expiresAt = this.#clock.monotonic() + entry.ttlMs;
    return Promise.resolve(entry.text);
  }

  set(key: string, text: string, ttlMs: number): Promise<void> {
    this.#remove(key);
    // A key costs memory, too.
    const bytes = 2 * (key.length + text.length);
    this.#entries.set(key, { text, bytes, ttlMs, expiresAt: this.#clock.monotonic() + ttlMs });
    this.#bytes += bytes;
    this.#makeRoom();
    return Promise.resolve();
  }

  delete(key: string): Promise<boolean> {
    const isThere = this.#find(key) !== undefined;
    this.#remove(key);
    return Promise.resolve(isThere);
  }

  clear(): Promise<void> {
    this.#entries.clear();
    this.#bytes = 0;
    return Promise.resolve();
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt > this.#clock.monotonic()) return entry;
    this.#remove(key);
    return undefined;
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  #makeRoom(): void {
    if (!this.#isFull()) return;
    for (const key of this.#entries.keys()) {
      this.#remove(key);
      if (!this.#isFull()) return;
    }
  }

  #isFull(): boolean {
    return this.#entries.size > this.#limits.maxEntries || this.#bytes > this.#limits.bytesMax;
  }
}
