import { CommandError, wrongType } from "./command-error.ts";
import { Deque } from "./data/deque.ts";
import { IndexedMap } from "./data/indexed-map.ts";
import { SortedSet } from "./data/sorted-set.ts";
import { type DataOf, sizeOf, type Value, type ValueType } from "./data/values.ts";

/** What a database asks and tells the engine. */
export interface DatabaseHooks {
  /** Unix time in ms. */
  now(): number;
  /** Every change of a key: made, altered, removed, expired. */
  changed(database: Database, key: string): void;
  /** A key's time was over and it is gone. */
  expired(database: Database, key: string): void;
}

/** One numbered keyspace. Keys whose time is over are gone for whoever looks. */
export class Database {
  readonly index: number;
  readonly #hooks: DatabaseHooks;
  readonly #values = new IndexedMap<Value>();
  /** Unix time in ms. */
  readonly #expiries = new IndexedMap<number>();
  /** While data is loaded, time stands still: the file says itself what expired. */
  expiryPaused = false;

  constructor(index: number, hooks: DatabaseHooks) {
    this.index = index;
    this.#hooks = hooks;
  }

  /** Unix time in ms. */
  now(): number {
    return this.#hooks.now();
  }

  /** Keys, with those whose time is over but that nobody has looked at since. */
  get size(): number {
    return this.#values.size;
  }

  get expiringSize(): number {
    return this.#expiries.size;
  }

  get(key: string): Value | undefined {
    if (this.#expiries.size > 0) this.dropIfExpired(key);
    return this.#values.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** The data at `key`; throws WRONGTYPE when it holds another type. */
  find<T extends ValueType>(key: string, type: T): DataOf[T] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (value.type !== type) throw new CommandError(wrongType);
    return value.data as DataOf[T]; // the two were just compared
  }

  /** As `find`, with a new empty collection when there is none; the caller fills it. */
  findOrCreate<T extends Exclude<ValueType, "string">>(key: string, type: T): DataOf[T] {
    const found = this.find(key, type);
    if (found !== undefined) return found;
    const value = createEmpty(type);
    this.#values.set(key, value);
    return value.data as DataOf[T]; // made for this very type
  }

  /** Replaces whatever is there; takes its expiry away unless `keepExpiry`. */
  set(key: string, value: Value, { keepExpiry = false } = {}): void {
    this.#values.set(key, value);
    if (!keepExpiry && this.#expiries.size > 0) this.#expiries.delete(key);
    this.changed(key);
  }

  delete(key: string): boolean {
    if (!this.has(key)) return false;
    this.#remove(key);
    this.changed(key);
    return true;
  }

  /** To be called after every change of a value in place; removes a collection left empty. */
  altered(key: string): void {
    const value = this.#values.get(key);
    if (value !== undefined && sizeOf(value) === 0) this.#remove(key);
    this.changed(key);
  }

  changed(key: string): void {
    this.#hooks.changed(this, key);
  }

  /** Unix time in ms; undefined when the key does not expire or does not exist. */
  expiryOf(key: string): number | undefined {
    return this.#expiries.get(key);
  }

  setExpiry(key: string, atMs: number | undefined): void {
    if (atMs === undefined) this.#expiries.delete(key);
    else this.#expiries.set(key, atMs);
  }

  dropIfExpired(key: string): void {
    const at = this.#expiries.get(key);
    if (at === undefined || at > this.now() || this.expiryPaused) return;
    this.#remove(key);
    this.#hooks.expired(this, key);
  }

  /**
   * Looks at some keys that expire and drops those whose time is over; again while more than a
   * quarter of them were, but not longer than `budgetMs`.
   */
  dropSomeExpired(budgetMs: number): void {
    const until = performance.now() + budgetMs;
    let dropped: number;
    do {
      const sample = Math.min(20, this.#expiries.size);
      const before = this.#expiries.size;
      for (let i = 0; i < sample && this.#expiries.size > 0; i++) {
        this.dropIfExpired(this.#expiries.at(this.#expiries.randomIndex())[0]);
      }
      dropped = before - this.#expiries.size;
    } while (dropped > 5 && performance.now() < until);
  }

  /** A random key that has not expired. */
  randomKey(): string | undefined {
    while (this.#values.size > 0) {
      const [key] = this.#values.at(this.#values.randomIndex());
      if (this.has(key)) return key;
    }
    return undefined;
  }

  keys(): string[] {
    return this.#values.keys().filter((key) => this.has(key));
  }

  entries(): Iterable<readonly [key: string, value: Value]> {
    return this.#values.entries();
  }

  /** See IndexedMap.scan; skips what has expired. */
  scan(cursor: number, count: number, visit: (key: string, value: Value) => void): number {
    const visited: string[] = [];
    const next = this.#values.scan(cursor, count, (key) => visited.push(key));
    for (const key of visited) {
      const value = this.get(key);
      if (value !== undefined) visit(key, value);
    }
    return next;
  }

  clear(): void {
    const keys = this.#values.keys();
    this.#values.clear();
    this.#expiries.clear();
    for (const key of keys) this.changed(key);
  }

  #remove(key: string): void {
    this.#values.delete(key);
    if (this.#expiries.size > 0) this.#expiries.delete(key);
  }
}

function createEmpty(type: Exclude<ValueType, "string">): Value {
  switch (type) {
    case "hash":
      return { type, data: new IndexedMap<string>() };
    case "list":
      return { type, data: new Deque() };
    case "set":
      return { type, data: new IndexedMap<true>() };
    case "zset":
      return { type, data: new SortedSet() };
  }
}
