import type { Cache } from "../cache.ts";
import type { Clock } from "../clock.ts";
import { createCacheSet, defaultCacheName } from "../facilities/cache-table.ts";
import { CommandKvdbStore } from "../facilities/command-kvdb-store.ts";
import { createUserConfigs, freezeConfig } from "../facilities/config-table.ts";
import { createDictionaries, indexDictionary } from "../facilities/dictionary-table.ts";
import { JsonCache } from "../facilities/json-cache.ts";
import { MemoryTexts } from "../facilities/memory-texts.ts";
import type { Facilities } from "../facilities.ts";
import { cache } from "../kinds/cache.ts";
import { dictionary } from "../kinds/dictionary.ts";
import { userConfig } from "../kinds/user-config.ts";
import type { PushTarget } from "../socket-push.ts";
import type { Threads } from "../threads.ts";
import type { MemoryKvdb } from "./memory-kvdb.ts";
import type { MemoryWork } from "./memory-work.ts";
import type { OutgoingFakes } from "./outgoing-fakes.ts";

/** The objects of a test's cluster, as configuration files write their specs. */
export interface KitObjects {
  /** UserConfig objects. */
  readonly configs?: Readonly<
    Record<
      string,
      { readonly values?: Readonly<Record<string, unknown>>; readonly secret?: string }
    >
  >;
  /** Dictionary objects: the entries of each. */
  readonly dictionaries?: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;
  /** Cache objects; `default` is always there. */
  readonly caches?: Readonly<
    Record<string, {
      readonly maxEntries?: number;
      readonly entryBytesMax?: number;
      readonly bytesMax?: number;
      readonly ttlMs?: number;
      readonly extendOnGet?: boolean;
    }>
  >;
}

/** A message that a service sent to clients of a WebSocket channel. */
export interface PushedMessage {
  readonly channel: string;
  readonly message: unknown;
  readonly to: PushTarget;
}

export interface KitFacilitiesOptions {
  readonly objects: KitObjects;
  readonly cluster: string;
  readonly clock: Clock;
  readonly kvdb: MemoryKvdb;
  readonly work: MemoryWork;
  readonly outgoing: OutgoingFakes;
  readonly pushed: PushedMessage[];
}

/** All that services reach, in memory. Throws a ZodError for objects that are not valid. */
export function createKitFacilities(options: KitFacilitiesOptions): Facilities {
  const { objects, cluster, clock, kvdb, work, outgoing, pushed } = options;
  const dictionaries = mapOf(
    objects.dictionaries,
    (entries) => indexDictionary(dictionary.schema.parse({ entries })),
  );
  const configs = mapOf(objects.configs, (spec) => {
    const { values, secret } = userConfig.schema.parse(spec);
    return freezeConfig(values, secret);
  });
  return {
    outgoing,
    clock,
    durable: work,
    kvdb: new CommandKvdbStore(kvdb, cluster),
    caches: createCacheSet(createCaches(objects, clock)),
    dictionaries: createDictionaries(dictionaries),
    configs: createUserConfigs(configs),
    push: {
      send(channel, message, to) {
        pushed.push({ channel, message: JSON.parse(JSON.stringify(message)), to });
        return Promise.resolve();
      },
    },
    threads: inlineThreads,
  };
}

/** Tasks run where the test runs, on copies as in a thread. */
const inlineThreads: Threads = {
  async run(task, input, signal) {
    signal.throwIfAborted();
    const run = task.run as (input: unknown) => unknown; // checked where the task was passed
    return structuredClone(await run(structuredClone(input)));
  },
};

function createCaches(objects: KitObjects, clock: Clock): ReadonlyMap<string, Cache> {
  return mapOf({ [defaultCacheName]: {}, ...objects.caches }, (given, name) => {
    const spec = cache.schema.parse(given);
    const store = new MemoryTexts(spec, clock);
    return new JsonCache({ name, store, rules: spec, onOversize: () => {} });
  });
}

function mapOf<Given, Made>(
  given: Readonly<Record<string, Given>> | undefined,
  make: (one: Given, name: string) => Made,
): ReadonlyMap<string, Made> {
  return new Map(Object.entries(given ?? {}).map(([name, one]) => [name, make(one, name)]));
}
