import type { ObjectDocument } from "../catalog/kind.ts";
import type {
  DeploymentRow,
  ObjectKey,
  ServerFailure,
  ServerState,
  ServiceRow,
} from "../odb/types.ts";
import type { DeployFile } from "../server/deploy/bundle.ts";

/**
 * What the admin API speaks, for its clients: the CLI, the web admin and other servers.
 * Every path begins with `/v1`. Errors are RFC 9457 problem details with `code` and `advice`.
 */

/** `GET /v1/status` answers a ServerStatus. */
export type { DependencyStatus, ServerStatus, WorkerStatus } from "../cluster/status.ts";

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

export type { DeployFile, ServerFailure };

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

/** `GET /v1/deployments`, newest first. */
export type DeploymentView = DeploymentRow;

/** `GET /v1/services` */
export interface ServiceView extends ServiceRow {
  /** Channels that expose it. */
  readonly usedBy: readonly ObjectKey[];
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
