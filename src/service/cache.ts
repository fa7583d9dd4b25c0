/** The caches of one configuration. */
export interface CacheSet {
  /** Throws CACHE_UNKNOWN with the nearest name. `default` always exists. */
  get(name: string): Cache;
}

/**
 * A cache of plain JSON values. What it forgets, and when, is the Cache object's to say; nothing
 * that must not be lost belongs here.
 */
export interface Cache {
  get<T = unknown>(key: string): Promise<T | undefined>;
  /** `ttlMs`: default the Cache object's. */
  set(key: string, value: unknown, options?: { readonly ttlMs?: number }): Promise<void>;
  /** What is there, or what `make` makes; calls side by side for one key make it once. */
  getOrSet<T>(
    key: string,
    make: () => T | Promise<T>,
    options?: { readonly ttlMs?: number },
  ): Promise<T>;
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
}
