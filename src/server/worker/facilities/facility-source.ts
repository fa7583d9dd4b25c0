import type { StoredObject } from "../../../catalog/kind.ts";
import type { ClusterKey } from "../../../security/cluster-key.ts";
import type { BucketStore } from "../../../http/rate-limit/shared-buckets.ts";
import { unsealField } from "../../../security/secrets.ts";
import type { Clock } from "../../../service/clock.ts";
import type { DurableWork } from "../../../service/durable-work.ts";
import type { Facilities } from "../../../service/facilities.ts";
import { CommandKvdbStore } from "../../../service/facilities/command-kvdb-store.ts";
import { createUserConfigs, freezeConfig } from "../../../service/facilities/config-table.ts";
import {
  createDictionaries,
  type DictionaryIndex,
  indexDictionary,
} from "../../../service/facilities/dictionary-table.ts";
import { systemClock } from "../../../service/facilities/system-clock.ts";
import { dictionary } from "../../../service/kinds/dictionary.ts";
import { userConfig } from "../../../service/kinds/user-config.ts";
import type { ReplayStore } from "../../../security/ws-security/replay-memory.ts";
import type { KvdbStore } from "../../../service/kvdb-store.ts";
import type { OutgoingSet } from "../../../service/outgoing/outgoing-set.ts";
import type { Threads } from "../../../service/threads.ts";
import type { UserConfigValues } from "../../../service/user-configs.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import type { Failure } from "../bundle-set.ts";
import type { InitMessage } from "../protocol.ts";
import type { SupervisorLink } from "../supervisor-link.ts";
import { CacheSource } from "./cache-source.ts";
import { ClusterPush } from "./cluster-push.ts";
import { KvdbBuckets } from "./kvdb-buckets.ts";
import { KvdbReplays } from "./kvdb-replays.ts";
import { ParsedObjects } from "./parsed-objects.ts";
import { SupervisorWork } from "./supervisor-work.ts";
import { WorkerKvdb } from "./worker-kvdb.ts";

export interface FacilitySourceOptions {
  readonly init: Pick<InitMessage, "cluster" | "kvdb">;
  readonly key: ClusterKey;
  readonly link: Pick<SupervisorLink, "request">;
  readonly logger: Logger;
  readonly threads: Threads;
}

/** The facilities of one configuration, and the objects that did not come to life. */
export interface LentFacilities {
  readonly facilities: Facilities;
  readonly failures: readonly Failure[];
}

/**
 * Makes the facilities of each configuration, and keeps what outlives one: links, cached values.
 */
export class FacilitySource {
  readonly #kvdb: WorkerKvdb;
  readonly #store: KvdbStore;
  readonly #buckets: BucketStore | undefined;
  /** What messages may come only once; undefined without a KVDB. */
  readonly replays: ReplayStore | undefined;
  readonly #durable: DurableWork;
  readonly #caches: CacheSource;
  readonly #dictionaries: ParsedObjects<DictionaryIndex>;
  readonly #configs: ParsedObjects<UserConfigValues>;
  readonly #threads: Threads;
  readonly #push: ClusterPush;
  readonly #clock: Clock = systemClock;

  constructor({ init, key, link, logger, threads }: FacilitySourceOptions) {
    const { cluster } = init;
    const clock = this.#clock;
    this.#kvdb = new WorkerKvdb({ init, logger });
    this.#store = new CommandKvdbStore(this.#kvdb, cluster);
    this.#buckets = this.#kvdb.isConfigured ? new KvdbBuckets(this.#kvdb, cluster) : undefined;
    this.replays = this.#kvdb.isConfigured
      ? new KvdbReplays(this.#kvdb, { cluster, logger })
      : undefined;
    this.#durable = new SupervisorWork({ link, clock, logger });
    this.#caches = new CacheSource({ cluster, kvdb: this.#kvdb, clock, logger });
    this.#dictionaries = new ParsedObjects(
      dictionary.kind,
      ({ spec }) => indexDictionary(dictionary.schema.parse(spec)),
    );
    this.#configs = new ParsedObjects(userConfig.kind, (object) => readConfig(object, key));
    this.#threads = threads;
    this.#push = new ClusterPush({ kvdb: this.#kvdb, link, logger });
  }

  /** Where rate limits of the whole cluster are counted; undefined without a KVDB. */
  get buckets(): BucketStore | undefined {
    return this.#buckets;
  }

  /** The facilities for a new set of objects, and the objects that did not come to life. */
  update(objects: Iterable<StoredObject>, outgoing: OutgoingSet): LentFacilities {
    const all = [...objects];
    const { caches, failures } = this.#caches.update(all);
    const dictionaries = createDictionaries(this.#dictionaries.update(all));
    const configs = createUserConfigs(this.#configs.update(all));
    return {
      facilities: {
        outgoing,
        kvdb: this.#store,
        caches,
        dictionaries,
        configs,
        durable: this.#durable,
        push: this.#push,
        threads: this.#threads,
        clock: this.#clock,
      },
      failures: [...failures, ...this.#dictionaries.failures, ...this.#configs.failures],
    };
  }

  /** The clients of WebSocket channels. */
  get sockets(): ClusterPush {
    return this.#push;
  }

  /** Ends links. Idempotent. */
  async close(): Promise<void> {
    await this.#kvdb.close();
  }
}

function readConfig(object: StoredObject, key: ClusterKey): UserConfigValues {
  const { values, secret } = userConfig.schema.parse(object.spec);
  const place = { kind: object.kind, name: object.name, field: "secret" };
  return freezeConfig(values, secret === undefined ? undefined : unsealField(place, secret, key));
}
