import { reasonOf } from "../../../errors/platform-error.ts";
import type { KvdbCommands } from "../../../kvdb/client.ts";
import type { ReplayStore } from "../../../security/ws-security/replay-memory.ts";
import type { Logger } from "../../../telemetry/logger.ts";

/**
 * What may come only once, in the KVDB. While that does not answer, messages are let in: every
 * process remembers what it has seen itself.
 */
export class KvdbReplays implements ReplayStore {
  readonly #kvdb: KvdbCommands;
  readonly #prefix: string;
  readonly #logger: Logger;

  constructor(kvdb: KvdbCommands, { cluster, logger }: {
    readonly cluster: string;
    readonly logger: Logger;
  }) {
    this.#kvdb = kvdb;
    this.#prefix = `dragoman:${cluster}:once:`;
    this.#logger = logger;
  }

  async remember(id: string, ttlMs: number): Promise<boolean> {
    try {
      const key = this.#prefix + id;
      return await this.#kvdb.command(["SET", key, "1", "PX", String(ttlMs), "NX"]) !== null;
    } catch (error) {
      this.#logger.warn("Replays are seen by each process alone, as the KVDB does not answer", {
        reason: reasonOf(error),
      });
      return true;
    }
  }
}
