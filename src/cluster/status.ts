import type { HeldLease } from "../odb/lease-types.ts";
import type { BundleKey, ServerFailure, ServerState } from "../odb/types.ts";
import type { Alarm } from "../scheduler/plan.ts";

/** What one server says of itself; needs neither ODB nor KVDB. */
export interface ServerStatus {
  readonly name: string;
  readonly cluster: string;
  readonly environment: "development" | "production";
  readonly version: string;
  /** Unique for each start of the server. */
  readonly incarnation: string;
  readonly pid: number;
  readonly hostname: string;
  readonly state: ServerState;
  readonly startedAt: string;
  /** Where the balancer reaches it. */
  readonly url: string;
  readonly adminUrl: string;
  /** The cluster revision that every worker runs. */
  readonly revision: number;
  /** The cluster revision that this server heard of last, whether or not it runs. */
  readonly clusterRevision: number;
  /** SHA-256 over all that the workers run; empty when they do not run the same. */
  readonly stateHash: string;
  /** What `stateHash` is when the workers run all of the newest state that the server has read. */
  readonly wantedHash: string;
  /** The certificates that it shows to others. */
  readonly certificates: readonly CertificateInUse[];
  readonly workers: readonly WorkerStatus[];
  /** Objects and deployments that this server could not bring to life, and why. */
  readonly failures: readonly ServerFailure[];
  /** What only one server of the cluster may do, and this one does. */
  readonly leases: readonly HeldLease[];
  /** Said by the server that plans jobs: those that are enabled and will never run. */
  readonly alarms: readonly Alarm[];
  readonly odb: DependencyStatus;
  readonly kvdb: DependencyStatus;
  readonly disk: DiskStatus;
}

/** Hashes of the parts of what runs, or of what should run. */
export interface StateParts {
  /** Every object's revision. */
  readonly objects: string;
  /** The code of every file. */
  readonly deployments: string;
  /** The sealed text of every secret, and the name of the key that opens them. */
  readonly secrets: string;
}

/** A certificate as it was loaded, which may no longer be what lies on disk. */
export interface CertificateInUse {
  /** What it is shown for: `admin`, `http`. */
  readonly use: string;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  readonly expiresAt: string;
}

/** What a server publishes in the ODB beside its revision and hash. */
export interface ServerDetails {
  readonly hostname: string;
  readonly pid: number;
  readonly certificates: readonly CertificateInUse[];
  readonly workers: readonly Pick<
    WorkerStatus,
    "id" | "pid" | "state" | "revision" | "stateHash" | "parts"
  >[];
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
  readonly parts: StateParts;
  /** The code of each file that it really runs. */
  readonly bundles: readonly BundleKey[];
  readonly requestsTotal: number;
  readonly errorsTotal: number;
  /** Of these, the requests that were refused because there were too many; older versions do not say. */
  readonly refusedTotal?: number;
  readonly inFlight: number;
  readonly memoryBytes: number;
  readonly eventLoopDelayMs: number;
}

/** Whether a server can write down what it keeps for its next start, and its log. */
export interface DiskStatus {
  readonly state: "up" | "down";
  readonly since: string;
  /** Why it is down. */
  readonly reason?: string;
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
