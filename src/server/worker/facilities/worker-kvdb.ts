import { PlatformError } from "../../../errors/platform-error.ts";
import {
  type Kvdb,
  type KvdbCommand,
  type KvdbCommands,
  openKvdb,
  type Unsubscribe,
} from "../../../kvdb/client.ts";
import type { Logger } from "../../../telemetry/logger.ts";
import type { InitMessage } from "../protocol.ts";

export interface WorkerKvdbOptions {
  readonly init: Pick<InitMessage, "cluster" | "kvdb">;
  readonly logger: Logger;
}

/** The worker's one link to the KVDB, opened by the first command. */
export class WorkerKvdb implements KvdbCommands {
  readonly #options: WorkerKvdbOptions;
  #link: Kvdb | undefined;
  #isClosed = false;

  constructor(options: WorkerKvdbOptions) {
    this.#options = options;
  }

  /** False when the server has no KVDB. */
  get isConfigured(): boolean {
    return this.#options.init.kvdb !== undefined;
  }

  // Async, so that what `#open` throws rejects.
  async command(command: KvdbCommand): Promise<unknown> {
    return await this.#open().command(command);
  }

  async transaction(commands: readonly KvdbCommand[]): Promise<readonly unknown[]> {
    return await this.#open().transaction(commands);
  }

  /** To every subscriber of the cluster's channel; rejects as commands do. */
  async publish(channel: string, message: string): Promise<number> {
    return await this.#open().publish(channel, message);
  }

  /** As `Kvdb.subscribe`. */
  async subscribe(channel: string, onMessage: (message: string) => void): Promise<Unsubscribe> {
    return await this.#open().subscribe(channel, onMessage);
  }

  /** Idempotent. Commands from then on reject with KVDB_CLOSED. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#link?.close();
  }

  #open(): Kvdb {
    if (this.#link !== undefined) return this.#link;
    const { init: { cluster, kvdb }, logger } = this.#options;
    if (kvdb === undefined) throw new PlatformError("KVDB_NONE");
    if (this.#isClosed) throw new PlatformError("KVDB_CLOSED", { address: kvdb.url });
    return this.#link = openKvdb({ ...kvdb, cluster, logger });
  }
}
