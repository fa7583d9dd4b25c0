import { isPlatformError, PlatformError, reasonOf } from "../errors/platform-error.ts";
import type { ClusterStore, Odb } from "../odb/types.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { DependencyStatus } from "./status.ts";

export interface OdbLinkOptions {
  /** Opened without asking the database, so that a server starts when the ODB is down. */
  readonly odb: Odb;
  readonly cluster: string;
  readonly logger: Logger;
}

/** A server's way to its cluster in the ODB, and the knowledge whether that way is open. */
export class OdbLink {
  readonly #odb: Odb;
  readonly #cluster: string;
  readonly #logger: Logger;
  #store: Promise<ClusterStore> | undefined;
  #down: { readonly reason: string } | undefined;
  #since = new Date();
  readonly #onReturn: (() => void)[] = [];

  constructor({ odb, cluster, logger }: OdbLinkOptions) {
    this.#odb = odb;
    this.#cluster = cluster;
    this.#logger = logger;
  }

  /** Runs one piece of work on the cluster's store; ODB_UNREACHABLE is noted and thrown on. */
  async use<T>(work: (store: ClusterStore) => Promise<T>): Promise<T> {
    try {
      this.#store ??= this.#open();
      const result = await work(await this.#store);
      this.#note(undefined);
      return result;
    } catch (error) {
      if (isPlatformError(error, "ODB_UNREACHABLE")) this.#note({ reason: reasonOf(error) });
      throw error;
    } finally {
      // A store that could not be opened is asked for again next time.
      await this.#store?.catch(() => this.#store = undefined);
    }
  }

  status(): DependencyStatus {
    return {
      state: this.#down === undefined ? "up" : "down",
      engine: this.#odb.dialect,
      address: this.#odb.address,
      since: this.#since.toISOString(),
      ...(this.#down === undefined ? {} : { reason: this.#down.reason }),
    };
  }

  /** Calls `listener` whenever the ODB answers again after it had not. It may not throw. */
  onReturn(listener: () => void): void {
    this.#onReturn.push(listener);
  }

  async close(): Promise<void> {
    await this.#odb.close();
  }

  /**
   * An ODB that was out of reach as we started may be of another version than ours. Then it stays
   * as good as out of reach.
   */
  async #open(): Promise<ClusterStore> {
    try {
      await this.#odb.checkSchema();
    } catch (error) {
      if (!isPlatformError(error) || error.code === "ODB_UNREACHABLE") throw error;
      const { message: reason, advice = "Update this Dragoman" } = error;
      const params = { address: this.#odb.address, reason };
      throw new PlatformError("ODB_UNREACHABLE", params, { cause: error, advice });
    }
    return await this.#odb.cluster(this.#cluster);
  }

  #note(down: { readonly reason: string } | undefined): void {
    if ((down === undefined) === (this.#down === undefined)) return;
    this.#down = down;
    this.#since = new Date();
    if (down !== undefined) {
      return this.#logger.warn("ODB is out of reach; serving goes on", down);
    }
    this.#logger.info("ODB answers again");
    for (const listener of this.#onReturn) listener();
  }
}
