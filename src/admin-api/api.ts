import type { ObjectDocument } from "../catalog/kind.ts";
import type { ServerState } from "../odb/types.ts";

/**
 * What the admin API speaks, for its clients: the CLI, the web admin and other servers.
 * Every path begins with `/v1`. Errors are RFC 9457 problem details with `code` and `advice`.
 */

/** `GET /v1/status`: one server of itself; needs neither ODB nor KVDB. */
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
  readonly requestsTotal: number;
  readonly errorsTotal: number;
  readonly inFlight: number;
  readonly memoryBytes: number;
  readonly eventLoopDelayMs: number;
}

export interface ServerFailure {
  /** A kind, or `Deployment`. */
  readonly kind: string;
  readonly name: string;
  readonly error: string;
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

/** `GET /v1/servers`: the cluster's servers as the ODB knows them. */
export interface ServerList {
  readonly cluster: string;
  readonly revision: number;
  readonly servers: readonly RegisteredServer[];
}

export interface RegisteredServer {
  readonly name: string;
  readonly state: ServerState;
  readonly url: string;
  readonly adminUrl: string;
  readonly version: string;
  readonly startedAt: string;
  readonly lastSeenAt: string;
  readonly revision: number;
  readonly stateHash: string;
}

/** `GET /v1/kinds` */
export interface KindList {
  readonly kinds: readonly KindInfo[];
}

export interface KindInfo {
  readonly kind: string;
  readonly group: string;
  readonly description: string;
  /** JSON Schema 2020-12 of `spec`. */
  readonly schema: unknown;
}

/** `GET /v1/objects?kind=`, `GET /v1/objects/:kind/:name`. Secrets are left out of `spec`. */
export interface ObjectView extends ObjectDocument {
  readonly revision: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

/** `POST /v1/apply`: all or nothing. What is not named is left alone. */
export interface ApplyRequest {
  readonly objects: readonly ObjectDocument[];
  readonly dryRun?: boolean;
}

export interface ApplyResult {
  readonly revision: number;
  readonly changes: readonly ApplyChange[];
  /** Absent with `dryRun` and when nothing changed. */
  readonly servers?: readonly ServerOutcome[];
}

export interface ApplyChange {
  readonly kind: string;
  readonly name: string;
  readonly action: "created" | "updated" | "unchanged" | "deleted";
  readonly revision: number;
}

/** What one server made of a change. */
export interface ServerOutcome {
  readonly server: string;
  /** `live`: every worker runs it; `failed`: it kept what it had; `unreachable`: it will follow. */
  readonly outcome: "live" | "failed" | "unreachable" | "not offered";
  readonly revision?: number;
  readonly reason?: string;
}

/** `POST /v1/deployments`: source files of services, bundled by the client. */
export interface DeployRequest {
  readonly files: readonly DeployFile[];
}

export interface DeployFile {
  /** The file's base name, such as `hello.ts`: what a later deploy of it replaces. */
  readonly name: string;
  /** The bundle: an ES module. */
  readonly code: string;
  readonly sourceMap: string;
}

export interface DeployResult {
  readonly outcome: "deployed" | "unchanged" | "rejected";
  readonly revision: number;
  readonly files: readonly DeployedFile[];
  readonly servers: readonly ServerOutcome[];
}

export interface DeployedFile {
  readonly name: string;
  readonly hash: string;
  readonly services: readonly string[];
}

/** `GET /v1/deployments` */
export interface DeploymentView {
  readonly file: string;
  readonly hash: string;
  readonly current: boolean;
  readonly services: readonly string[];
  readonly deployedAt: string;
  readonly deployedBy: string;
}

/** `GET /v1/services` */
export interface ServiceView {
  readonly name: string;
  readonly description: string;
  readonly file: string;
  readonly hash: string;
  readonly deployedAt: string;
  /** JSON Schema 2020-12, where the service's schemas can be expressed in it. */
  readonly input?: unknown;
  readonly output?: unknown;
  /** Channels that expose it. */
  readonly usedBy: readonly { readonly kind: string; readonly name: string }[];
}

/** `POST /v1/services/:name/invoke` */
export interface InvokeRequest {
  readonly input: unknown;
}

export interface InvokeResult {
  readonly cid: string;
  readonly server: string;
  readonly durationMs: number;
  readonly output: unknown;
}
