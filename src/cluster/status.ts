import type { BundleKey, ServerFailure, ServerState } from "../odb/types.ts";

/** What one server says of itself; needs neither ODB nor KVDB. */
export interface ServerStatus {
  readonly name: string;
  readonly cluster: string;
  readonly environment: "development" | "production";
  readonly version: string;
  readonly pid: number;
  readonly hostname: string;
  readonly state: ServerState;
  readonly startedAt: string;
  /** Where the balancer reaches it. */
  readonly url: string;
  readonly adminUrl: string;
  /** The cluster revision that every worker runs. */
  readonly revision: number;
  /** The newest cluster revision this server knows of. */
  readonly clusterRevision: number;
  /** SHA-256 over the objects and deployments that the workers run, equal on all of them. */
  readonly stateHash: string;
  readonly workers: readonly WorkerStatus[];
  /** Objects and deployments that this server could not bring to life, and why. */
  readonly failures: readonly ServerFailure[];
  readonly odb: DependencyStatus;
  readonly kvdb: DependencyStatus;
}

export interface WorkerStatus {
  readonly id: number;
  readonly pid: number;
  readonly state: "starting" | "up" | "draining" | "restarting";
  readonly startedAt: string;
  /** How often this place has been filled anew since the server started. */
  readonly restarts: number;
  readonly revision: number;
  readonly stateHash: string;
  /** The code of each file that it really runs. */
  readonly bundles: readonly BundleKey[];
  readonly requestsTotal: number;
  readonly errorsTotal: number;
  readonly inFlight: number;
  readonly memoryBytes: number;
  readonly eventLoopDelayMs: number;
}

export interface DependencyStatus {
  /** `none`: not configured. */
  readonly state: "up" | "down" | "none";
  /** `sqlite`, `postgresql`, `mysql`; `redis`, `embedded`... */
  readonly engine: string;
  /** Without user or password. */
  readonly address: string;
  readonly since: string;
  /** Why it is down. */
  readonly reason?: string;
}
