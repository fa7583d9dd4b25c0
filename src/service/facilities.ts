import type { Clock } from "./clock.ts";
import type { CacheSet } from "./cache.ts";
import type { Dictionaries } from "./dictionaries.ts";
import type { DurableWork } from "./durable-work.ts";
import type { KvdbStore } from "./kvdb-store.ts";
import type { OutgoingSet } from "./outgoing/outgoing-set.ts";
import type { SocketPush } from "./socket-push.ts";
import type { Threads } from "./threads.ts";
import type { UserConfigs } from "./user-configs.ts";

/**
 * What services work with beside their input, one set for each configuration. The testing kit has
 * another set with the same types.
 */
export interface Facilities {
  readonly outgoing: OutgoingSet;
  readonly kvdb: KvdbStore;
  readonly caches: CacheSet;
  readonly dictionaries: Dictionaries;
  readonly configs: UserConfigs;
  readonly durable: DurableWork;
  readonly push: SocketPush;
  readonly threads: Threads;
  readonly clock: Clock;
}
