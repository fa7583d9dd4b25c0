import { PlatformError } from "../../errors/platform-error.ts";
import type { KvdbCommands } from "../../kvdb/client.ts";
import type { KvdbStore } from "../kvdb-store.ts";

interface Expiring {
  readonly ttlMs?: number;
}

/** The key/value database of services, in commands of Redis. */
export class CommandKvdbStore implements KvdbStore {
  readonly prefix: string;
  readonly #commands: KvdbCommands;

  constructor(commands: KvdbCommands, cluster: string) {
    this.#commands = commands;
    this.prefix = `dragoman:${cluster}:user:`;
  }

  async get(key: string): Promise<string | undefined> {
    const reply = await this.#commands.command(["GET", this.prefix + key]);
    return reply === null ? undefined : String(reply);
  }

  async set(key: string, value: string, { ttlMs }: Expiring = {}): Promise<void> {
    await this.#commands.command(["SET", this.prefix + key, value, ...expiry(ttlMs)]);
  }

  async setIfAbsent(key: string, value: string, { ttlMs }: Expiring = {}): Promise<boolean> {
    const name = this.prefix + key;
    const reply = await this.#commands.command(["SET", name, value, ...expiry(ttlMs), "NX"]);
    return reply !== null;
  }

  async delete(key: string): Promise<boolean> {
    return await this.#commands.command(["UNLINK", this.prefix + key]) === 1;
  }

  async increment(
    key: string,
    { by = 1, ttlMs }: Expiring & { readonly by?: number } = {},
  ): Promise<number> {
    const name = this.prefix + key;
    if (ttlMs === undefined) return Number(await this.#commands.command(["INCRBY", name, by]));
    // The time is the counter's from its beginning; further additions do not prolong it.
    const replies = await this.#commands.transaction([
      ["SET", name, 0, ...expiry(ttlMs), "NX"],
      ["INCRBY", name, by],
    ]);
    return Number(replies[1]);
  }

  // Async, so that a refusal rejects as every other failure does.
  async command(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const command = name.toUpperCase();
    const reason = refusals.get(command);
    if (reason !== undefined) throw new PlatformError("KVDB_COMMAND_REFUSED", { command, reason });
    return await this.#commands.command([command, ...args]);
  }
}

function expiry(ttlMs: number | undefined): readonly (string | number)[] {
  return ttlMs === undefined ? [] : ["PX", Math.ceil(ttlMs)];
}

const shared = "All services of a worker share one connection, and it would change that";
const waits = "All services of a worker share one connection, and it would wait";
const whole = "It concerns the whole KVDB, not only this cluster";

const refusals: ReadonlyMap<string, string> = new Map(
  [
    ...["AUTH", "CLIENT", "DISCARD", "EXEC", "HELLO", "MONITOR", "MULTI", "PSUBSCRIBE"],
    ...["PSYNC", "PUNSUBSCRIBE", "QUIT", "READONLY", "READWRITE", "RESET", "SELECT", "SSUBSCRIBE"],
    ...["SUBSCRIBE", "SUNSUBSCRIBE", "SYNC", "UNSUBSCRIBE", "UNWATCH", "WATCH"],
  ].map((command): [string, string] => [command, shared]).concat(
    ["BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN", "WAIT"]
      .concat("WAITAOF").map((command) => [command, waits]),
    ["ACL", "BGREWRITEAOF", "BGSAVE", "CONFIG", "DEBUG", "FAILOVER", "FLUSHALL", "FLUSHDB"]
      .concat("REPLICAOF", "SAVE", "SHUTDOWN", "SLAVEOF", "SWAPDB")
      .map((command) => [command, whole]),
  ),
);
