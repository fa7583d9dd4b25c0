import type { StoredObject } from "../../../catalog/kind.ts";
import { PlatformError } from "../../../errors/platform-error.ts";
import type { CacheSet } from "../../../service/cache.ts";
import type { Clock } from "../../../service/clock.ts";
import {
  createCacheSet,
  defaultCacheName,
  defaultCacheSpec,
} from "../../../service/facilities/cache-table.ts";
import { JsonCache } from "../../../service/facilities/json-cache.ts";
import { MemoryTexts } from "../../../service/facilities/memory-texts.ts";
import { cache, type CacheSpec } from "../../../service/kinds/cache.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import { ClusterTexts } from "./cluster-texts.ts";
import { ParsedObjects } from "./parsed-objects.ts";
import type { WorkerKvdb } from "./worker-kvdb.ts";

export interface CacheSourceOptions {
  readonly cluster: string;
  readonly kvdb: WorkerKvdb;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface LiveCache {
  readonly cache: JsonCache;
  readonly texts: MemoryTexts | ClusterTexts;
  readonly scope: CacheSpec["scope"];
}

/** The caches of one process: what they hold stays when their limits change. */
export class CacheSource {
  readonly #options: CacheSourceOptions;
  readonly #specs: ParsedObjects<CacheSpec>;
  #live = new Map<string, LiveCache>();

  constructor(options: CacheSourceOptions) {
    this.#options = options;
    this.#specs = new ParsedObjects(cache.kind, (object) => {
      const spec = cache.schema.parse(object.spec);
      if (spec.scope === "cluster" && !options.kvdb.isConfigured) {
        throw new PlatformError("KVDB_NONE");
      }
      return spec;
    });
  }

  update(objects: Iterable<StoredObject>): {
    readonly caches: CacheSet;
    readonly failures: ParsedObjects<CacheSpec>["failures"];
  } {
    const specs = new Map([[defaultCacheName, defaultCacheSpec], ...this.#specs.update(objects)]);
    const live = new Map<string, LiveCache>();
    for (const [name, spec] of specs) {
      const known = this.#live.get(name);
      const one = known?.scope === spec.scope ? known : this.#open(name, spec);
      one.texts.use(spec);
      one.cache.use(spec);
      live.set(name, one);
    }
    this.#live = live;
    const caches = new Map([...live].map(([name, one]) => [name, one.cache]));
    return { caches: createCacheSet(caches), failures: this.#specs.failures };
  }

  #open(name: string, spec: CacheSpec): LiveCache {
    const { cluster, kvdb, clock, logger } = this.#options;
    const texts = spec.scope === "worker"
      ? new MemoryTexts(spec, clock)
      : new ClusterTexts({ cluster, name, kvdb, clock, limits: spec, logger });
    const onOversize = (bytes: number) =>
      logger.warn("A value is too large for its cache and was not kept", { cache: name, bytes });
    return {
      texts,
      scope: spec.scope,
      cache: new JsonCache({ name, store: texts, rules: spec, onOversize }),
    };
  }
}
