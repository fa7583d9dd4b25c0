import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OdbLink } from "../../../src/cluster/odb-link.ts";
import { isPlatformError, PlatformError } from "../../../src/errors/platform-error.ts";
import { openOdb } from "../../../src/odb/open.ts";
import type { ClusterStore, Odb } from "../../../src/odb/types.ts";
import { RequestKeys } from "../../../src/server/supervisor/request-keys.ts";
import { createRequestHandler } from "../../../src/server/supervisor/requests.ts";
import type { FromWorker } from "../../../src/server/worker/protocol.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** What a supervisor does for the requests of its workers, over an ODB of its own. */
export class KeySupervisor implements AsyncDisposable {
  readonly store: ClusterStore;
  /** While it is set, the ODB is out of reach. */
  isAway = false;
  /** For whatever a test wants to outlive its workers. */
  readonly directory: string;
  readonly #odb: Odb;
  readonly #handle: ReturnType<typeof createRequestHandler>;

  private constructor(odb: Odb, store: ClusterStore, directory: string) {
    this.#odb = odb;
    this.store = store;
    this.directory = directory;
    const logger = createLogger({ level: "error" });
    const link = new OdbLink({ odb: this.#breakable(), cluster: "test", logger });
    this.#handle = createRequestHandler({
      link,
      keys: new RequestKeys({
        link,
        holder: { server: "server-1", incarnation: "a" },
        presence: { isSeen: true, judgesSilence: true },
        logger,
        mendMs: 20,
      }),
      enqueue: () => Promise.reject(new PlatformError("INTERNAL")),
      workers: () => [],
    });
  }

  static async open(): Promise<KeySupervisor> {
    const directory = await mkdtemp(join(tmpdir(), "dragoman-keys-"));
    const odb = await openOdb({ url: `sqlite://${directory}/odb.db` });
    await odb.migrate();
    await odb.createCluster("test", { keyCheck: "sealed" });
    return new KeySupervisor(odb, await odb.cluster("test"), directory);
  }

  /** Answers what the worker asks from now on. */
  serve(worker: WorkerProcess): void {
    worker.child.on("message", (message: FromWorker) => {
      if (message.type === "request") void this.#answer(worker, message);
    });
  }

  async #answer(
    worker: WorkerProcess,
    { id, topic, body }: Extract<FromWorker, { type: "request" }>,
  ): Promise<void> {
    try {
      const reply = await this.#handle({ topic, body }, worker);
      if (worker.child.connected) worker.send({ type: "reply", id, reply });
    } catch (error) {
      const known = isPlatformError(error) ? error : new PlatformError("INTERNAL");
      if (worker.child.connected) worker.send({ type: "reply", id, error: known.toJSON() });
    }
  }

  /** The ODB, but for calls while it is away. */
  #breakable(): Odb {
    const requireThere = () => {
      if (!this.isAway) return;
      throw new PlatformError("ODB_UNREACHABLE", { address: "a test", reason: "it is away" });
    };
    const store = new Proxy(this.store, {
      get(target, name) {
        requireThere();
        return Reflect.get(target, name);
      },
    });
    return { ...this.#odb, cluster: () => Promise.resolve(store) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#odb.close();
    await rm(this.directory, { recursive: true });
  }
}
