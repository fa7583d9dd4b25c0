import { PlatformError } from "../../errors/platform-error.ts";
import type { Cache, CacheSet } from "../cache.ts";
import { cache, type CacheSpec } from "../kinds/cache.ts";
import { unknownName } from "./unknown-name.ts";

/** The cache that is there without having been created. */
export const defaultCacheName = "default";

/** What a cache is when nothing is said about it. */
export const defaultCacheSpec: CacheSpec = cache.schema.parse({});

/** Caches by name. */
export function createCacheSet(caches: ReadonlyMap<string, Cache>): CacheSet {
  return {
    get(name) {
      const found = caches.get(name);
      if (found !== undefined) return found;
      throw new PlatformError("CACHE_UNKNOWN", unknownName(name, caches.keys()));
    },
  };
}
