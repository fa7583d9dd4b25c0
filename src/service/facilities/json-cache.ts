import { PlatformError } from "../../errors/platform-error.ts";
import type { Cache } from "../cache.ts";
import type { CacheSpec } from "../kinds/cache.ts";
import { toJsonText } from "./json-text.ts";
import type { TextStore } from "./text-store.ts";

/** What a cache holds of its values. */
export type CacheRules = Pick<CacheSpec, "entryBytesMax" | "ttlMs">;

export interface JsonCacheOptions {
  readonly name: string;
  readonly store: TextStore;
  readonly rules: CacheRules;
  /** Told when `getOrSet` made a value that is too large to keep. */
  readonly onOversize: (bytes: number) => void;
}

interface CallOptions {
  readonly ttlMs?: number;
}

/** Values as JSON in a store: what one caller does to a value, no other sees. */
export class JsonCache implements Cache {
  readonly #name: string;
  readonly #store: TextStore;
  readonly #onOversize: (bytes: number) => void;
  #rules: CacheRules;
  /** Values that are being made now. Whoever changes a key takes its flight away. */
  readonly #flights = new Map<string, Promise<string | undefined>>();

  constructor({ name, store, rules, onOversize }: JsonCacheOptions) {
    this.#name = name;
    this.#store = store;
    this.#rules = rules;
    this.#onOversize = onOversize;
  }

  use(rules: CacheRules): void {
    this.#rules = rules;
  }

  async get<T>(key: string): Promise<T | undefined> {
    return readJson<T>(await this.#store.get(key));
  }

  async set(key: string, value: unknown, options?: CallOptions): Promise<void> {
    const ttlMs = this.#ttlOf(options);
    const text = toJsonText(value, `A value for the cache "${this.#name}"`);
    const bytes = this.#excess(text);
    if (bytes !== undefined) {
      const limit = this.#rules.entryBytesMax;
      throw new PlatformError("CACHE_ENTRY_SIZE", { cache: this.#name, bytes, limit });
    }
    this.#flights.delete(key);
    await this.#store.set(key, text, ttlMs);
  }

  async getOrSet<T>(
    key: string,
    make: () => T | Promise<T>,
    options?: CallOptions,
  ): Promise<T> {
    const ttlMs = this.#ttlOf(options);
    const known = await this.#store.get(key);
    if (known !== undefined) return JSON.parse(known) as T; // the caller's claim
    const flying = this.#flights.get(key);
    const text = flying === undefined
      ? await this.#fly(key, make, ttlMs)
      // Whoever makes it may fail for reasons of its own, such as its deadline: those who wait
      // try once more, together.
      : await flying.catch(() => this.#flights.get(key) ?? this.#fly(key, make, ttlMs));
    return readJson<T>(text) as T; // undefined when that is what `make` made
  }

  async delete(key: string): Promise<boolean> {
    this.#flights.delete(key);
    return await this.#store.delete(key);
  }

  async clear(): Promise<void> {
    this.#flights.clear();
    await this.#store.clear();
  }

  #fly(key: string, make: () => unknown, ttlMs: number): Promise<string | undefined> {
    const isCurrent = () => this.#flights.get(key) === flight;
    const flight = this.#make(key, make, { ttlMs, isCurrent }).finally(() => {
      if (isCurrent()) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  async #make(
    key: string,
    make: () => unknown,
    { ttlMs, isCurrent }: { readonly ttlMs: number; readonly isCurrent: () => boolean },
  ): Promise<string | undefined> {
    const value = await make();
    if (value === undefined) return undefined;
    const text = toJsonText(value, `A value for the cache "${this.#name}"`);
    const bytes = this.#excess(text);
    if (bytes !== undefined) this.#onOversize(bytes);
    // A key that was changed meanwhile must not get what is older.
    else if (isCurrent()) await this.#store.set(key, text, ttlMs);
    return text;
  }

  #ttlOf({ ttlMs = this.#rules.ttlMs }: CallOptions = {}): number {
    if (ttlMs > 0) return ttlMs;
    throw new PlatformError("CACHE_TTL_INVALID", { cache: this.#name, ttlMs });
  }

  /** Size in bytes of a text that is too large; undefined for others. */
  #excess(text: string): number | undefined {
    const limit = this.#rules.entryBytesMax;
    // UTF-8 has at most three bytes for each unit of a text.
    if (text.length * 3 <= limit) return undefined;
    const bytes = Buffer.byteLength(text);
    return bytes > limit ? bytes : undefined;
  }
}

function readJson<T>(text: string | undefined): T | undefined {
  return text === undefined ? undefined : JSON.parse(text) as T; // the caller's claim
}
