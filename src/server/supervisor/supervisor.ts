import { hostname } from "node:os";
import type { DesiredState } from "../../cluster/desired-state.ts";
import type { Membership } from "../../cluster/membership.ts";
import type { OdbLink } from "../../cluster/odb-link.ts";
import type { OwnDisk } from "../../cluster/own-disk.ts";
import type {
  CertificateInUse,
  DependencyStatus,
  ServerDetails,
  ServerStatus,
} from "../../cluster/status.ts";
import { version } from "../../config/component.ts";
import type { ServerConfig } from "../../config/schemas.ts";
import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type {
  BundleKey,
  ClusterSnapshot,
  ServerFailure,
  ServerReport,
  ServerState,
} from "../../odb/types.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { BundleFiles } from "../deploy/bundle-files.ts";
import { stateHash, statePartsOf } from "../state-hash.ts";
import type { BundleFile } from "../worker/protocol.ts";
import type { Balancers } from "./balancers.ts";
import type { RequestKeys } from "./request-keys.ts";
import type { WorkerPool } from "./worker-pool.ts";
import type { ServiceResult, WorkerProcess } from "./worker-process.ts";

export interface ServerAddresses {
  readonly http: { readonly host: string; readonly port: number };
  readonly admin: { readonly host: string; readonly port: number };
}

/** Work of the cluster that this server takes part in while it is up. */
export interface BackgroundWork {
  start(): void;
  /** Takes nothing more on, and finishes what it has within `drainMs`. */
  stop(drainMs: number): Promise<void>;
}

export interface SupervisorParts {
  readonly config: ServerConfig;
  /** Of this life of the server. */
  readonly incarnation: string;
  /** Names the key of the cluster. */
  readonly keyId: string;
  readonly certificates: readonly CertificateInUse[];
  /** Under which others reach this server. */
  readonly addresses: ServerAddresses;
  readonly pool: WorkerPool;
  readonly bundles: BundleFiles;
  readonly disk: OwnDisk;
  readonly link: OdbLink;
  readonly kvdbStatus: () => DependencyStatus;
  readonly logger: Logger;
}

/** What joins the supervisor once it exists, because it needs the supervisor itself. */
export interface SupervisorTies {
  readonly desired: DesiredState;
  readonly membership: Membership;
  /** Absent for a server that stands behind no balancer of ours. */
  readonly registration: Pick<Balancers, "start" | "stop"> | undefined;
  /** Ended in this order when the server stops, each without waiting for the one before. */
  readonly work: readonly BackgroundWork[];
  /** What became of requests with a key is written when their workers have ended. */
  readonly keys: Pick<RequestKeys, "stop">;
  /** What this server does for the whole cluster. */
  readonly standing: () => Pick<ServerStatus, "leases" | "alarms">;
}

/** One server: brings desired states to its workers, says what it runs, and leaves in good order. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #startedAt = new Date();
  #ties: SupervisorTies | undefined;
  #state: ServerState = "joining";
  #bundleFailures: readonly ServerFailure[] = [];
  #wantedHash = "";

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.config.name;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Starts serving; resolves when at least one worker does. Throws SERVER_* when none can. */
  async start(ties: SupervisorTies): Promise<void> {
    this.#ties = ties;
    // Not awaited: an ODB that hangs must not keep a server from starting.
    void ties.membership.report();
    await ties.desired.start();
    if (this.#parts.pool.upCount === 0) {
      const reason = this.failures().map((failure) => failure.error).join("; ");
      throw new PlatformError("SERVER_WORKERS_FAILED", {
        server: this.name,
        reason: reason || "they ended while starting",
      });
    }
    this.#state = "up";
    await Promise.all([ties.membership.report(), ties.registration?.start()]);
    for (const work of ties.work) work.start();
  }

  /** Brings a desired state to the workers: what DesiredState calls. */
  async apply(snapshot: ClusterSnapshot): Promise<void> {
    const { bundles, failures } = await this.#fetchBundles(snapshot);
    this.#bundleFailures = failures;
    this.#wantedHash = stateHash(statePartsOf({ ...snapshot, keyId: this.#parts.keyId }));
    await this.#parts.pool.apply({
      revision: snapshot.revision,
      objects: snapshot.objects,
      bundles,
    });
    this.#parts.logger.info("State applied", {
      revision: snapshot.revision,
      objects: snapshot.objects.length,
      bundles: bundles.length,
      failures: this.failures(),
    });
    const current = new Set(snapshot.bundles.map(({ hash }) => hash));
    await this.#parts.disk.keep("bundles", () => this.#parts.bundles.prune(current));
    // Not awaited: an ODB that hangs must not hold up the next state.
    void this.#ties?.membership.report();
  }

  /** Reads bundles on disk anew and fetches those that are damaged; never rejects. */
  async checkBundles(files: readonly BundleKey[]): Promise<void> {
    for (const key of files) {
      // What cannot be had is told by the worker that wants to run it.
      await this.#ensureBundle(key, { anew: true }).catch(() => {});
    }
  }

  /** A worker came, went or took a state. */
  changed(): void {
    if (this.#state !== "joining") void this.#ties?.membership.report();
  }

  /** Objects and bundles that this server could not bring to life. */
  failures(): readonly ServerFailure[] {
    const files = new Set(this.#bundleFailures.map(({ name }) => name));
    // Of a file that could not be had, the worker only knows that it is not there.
    const others = this.#parts.pool.failures().filter(({ kind, name }) =>
      kind !== "Deployment" || !files.has(name)
    );
    return [...this.#bundleFailures, ...others];
  }

  invoke(service: string, input: unknown, cid: string): Promise<ServiceResult> {
    if (this.#state === "draining" || this.#state === "down") {
      throw new PlatformError("SERVER_STOPPING", { server: this.name });
    }
    const timeoutMs = this.#parts.config.limits.requestMs;
    return this.#parts.pool.pick().invoke({ service, input, cid, timeoutMs });
  }

  /** A worker to ask something. Throws SERVER_NO_WORKER. */
  worker(): WorkerProcess {
    return this.#parts.pool.pick();
  }

  /** Every worker that serves. */
  workers(): readonly WorkerProcess[] {
    return this.#parts.pool.serving();
  }

  status(): ServerStatus {
    const { config, pool, link, addresses, incarnation, certificates } = this.#parts;
    return {
      name: config.name,
      cluster: config.cluster,
      environment: config.environment,
      version,
      incarnation,
      pid: process.pid,
      hostname: hostname(),
      state: this.#state,
      startedAt: this.#startedAt.toISOString(),
      url: urlOf(config.http.tls ? "https" : "http", addresses.http),
      adminUrl: urlOf("https", addresses.admin),
      ...this.#running(),
      wantedHash: this.#wantedHash,
      certificates,
      clusterRevision: this.#ties?.desired.clusterRevision ?? 0,
      workers: pool.statuses(),
      failures: this.failures(),
      ...(this.#ties?.standing() ?? { leases: [], alarms: [] }),
      odb: link.status(),
      kvdb: this.#parts.kvdbStatus(),
      disk: this.#parts.disk.status(),
    };
  }

  /** What goes into the server's row of the ODB. */
  report(): ServerReport {
    const status = this.status();
    const { name, state, url, adminUrl, startedAt, revision, stateHash, failures } = status;
    const details: ServerDetails = {
      hostname: status.hostname,
      pid: status.pid,
      certificates: status.certificates,
      workers: status.workers.map((worker) => ({
        id: worker.id,
        pid: worker.pid,
        state: worker.state,
        revision: worker.revision,
        stateHash: worker.stateHash,
        parts: worker.parts,
      })),
    };
    return {
      ...{ name, state, url, adminUrl, version, startedAt, revision, stateHash, failures },
      incarnation: status.incarnation,
      details,
    };
  }

  /** Leaves the balancer, finishes what is in flight, says goodbye to the ODB. */
  async stop(): Promise<void> {
    if (this.#state === "draining" || this.#state === "down") return;
    this.#state = "draining";
    const { pool, config, logger } = this.#parts;
    logger.info("Stopping: finishing requests in flight", { drainMs: config.limits.drainMs });
    // Following ends in the background: an ODB that hangs must not hold up the goodbye.
    const unfollowed = this.#ties?.desired.stop();
    await this.#ties?.registration?.stop();
    const { drainMs } = config.limits;
    // First, so that nothing is taken on that no worker would run any more.
    const finished = this.#ties?.work.map((work) => work.stop(drainMs)) ?? [];
    await Promise.all([...finished, pool.stop(drainMs)]);
    await this.#ties?.keys.stop();
    this.#state = "down";
    await unfollowed;
    await this.#ties?.membership.leave("down");
    logger.info("Stopped");
  }

  /** The oldest revision among the workers that serve, and their hash when they agree. */
  #running(): { readonly revision: number; readonly stateHash: string } {
    const serving = this.#parts.pool.statuses().filter(({ state }) => state === "up");
    const hashes = new Set(serving.map((worker) => worker.stateHash));
    return {
      revision: serving.length === 0 ? 0 : Math.min(...serving.map((worker) => worker.revision)),
      stateHash: hashes.size === 1 ? [...hashes][0]! : "",
    };
  }

  async #fetchBundles(snapshot: ClusterSnapshot): Promise<{
    readonly bundles: readonly BundleFile[];
    readonly failures: readonly ServerFailure[];
  }> {
    const ready: BundleFile[] = [];
    const failures: ServerFailure[] = [];
    for (const key of snapshot.bundles) {
      try {
        ready.push(await this.#ensureBundle(key));
      } catch (error) {
        // One bundle that cannot be had must not keep the others from going live.
        failures.push({ kind: "Deployment", name: key.file, error: reasonOf(error) });
        // Workers that run an older version of it go on with that.
        ready.push({ ...key, path: this.#parts.bundles.path(key.hash) });
      }
    }
    return { bundles: ready, failures };
  }

  async #ensureBundle(key: BundleKey, options: { readonly anew?: boolean } = {}) {
    const { bundles, link, logger } = this.#parts;
    try {
      const fetch = (hash: string) => link.use((store) => store.getBundle(hash));
      return await bundles.ensure(key, fetch, options);
    } catch (error) {
      const { file, hash } = key;
      logger.error("A bundle could not be fetched", { file, hash, error });
      if (isPlatformError(error, "ODB_UNREACHABLE")) this.#ties?.desired.doubt();
      throw error;
    }
  }
}

/** `http://127.0.0.1:17010`; IPv6 addresses get their brackets. */
function urlOf(scheme: string, { host, port }: { host: string; port: number }): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
