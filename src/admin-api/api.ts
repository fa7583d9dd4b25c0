import type { ObjectDocument } from "../catalog/kind.ts";
import type {
  DeploymentRow,
  ObjectKey,
  ServerFailure,
  ServerState,
  ServiceRow,
} from "../odb/types.ts";
import type { RunRow } from "../odb/job-types.ts";
import type { Explanation } from "../scheduler/explain.ts";
import type { JobSpec } from "../scheduler/kinds/job.ts";
import type { CertificateInUse, DependencyStatus } from "../cluster/status.ts";
import type { DeployFile } from "../server/deploy/bundle.ts";
import type { WorkerInventory } from "../server/worker/protocol.ts";

/**
 * What the admin API speaks, for its clients: the CLI, the web admin and other servers.
 * Every path begins with `/v1`. Errors are RFC 9457 problem details with `code` and `advice`.
 */

/** `GET /v1/status` answers a ServerStatus. */
export type {
  CertificateInUse,
  DependencyStatus,
  ServerStatus,
  WorkerStatus,
} from "../cluster/status.ts";

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
  /** Unique for each start of the server. */
  readonly incarnation: string;
  readonly startedAt: string;
  readonly lastSeenAt: string;
  readonly revision: number;
  readonly stateHash: string;
}

/**
 * `POST /v1/restart`: the server leaves the balancer, finishes what it has and starts anew with the
 * code that is installed by then. It is back when its `incarnation` is another one.
 */
export interface RestartAnswer {
  readonly server: string;
  /** Of the life that ends now. */
  readonly incarnation: string;
}

/** `GET /v1/drift`: the cluster's servers held against the ODB. */
export interface DriftReport {
  readonly cluster: string;
  /** Of the ODB. */
  readonly revision: number;
  /** How many there are in the ODB. */
  readonly objects: number;
  readonly deployments: number;
  /** All that the ODB knows; those that left (`down`) are not expected to run anything. */
  readonly servers: readonly {
    readonly name: string;
    readonly state: ServerState;
    readonly workers: number;
  }[];
  readonly differences: readonly Drift[];
}

/** One thing that one server does not run as it should. */
export interface Drift {
  readonly server: string;
  /** Absent: it concerns the server as a whole. */
  readonly worker?: number;
  /** A kind, or `Deployment`, `Certificate`, `Secrets`, `Server`. */
  readonly kind: string;
  readonly name: string;
  /** What is so on that side: `runs revision 4, ODB has 5`. */
  readonly text: string;
}

/** `POST /v1/inventory`: what one server and its workers say that they run. */
export interface ServerInventory {
  readonly server: string;
  readonly incarnation: string;
  readonly state: ServerState;
  /** The newest that it knows of. */
  readonly clusterRevision: number;
  readonly odb: DependencyStatus;
  /** Names its cluster key. */
  readonly keyId: string;
  readonly certificates: readonly (CertificateInUse & {
    /** Fingerprint of the one that it would show if it started now; null: there is none. */
    readonly onDisk: string | null;
  })[];
  readonly workers: readonly WorkerAnswer[];
}

/** What a worker runs, or why it does not say. */
export type WorkerAnswer =
  & { readonly id: number; readonly pid: number }
  & (WorkerInventory | { readonly reason: string });

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
  /** The secret fields that are set. */
  readonly secrets: readonly string[];
  readonly revision: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

/** `POST /v1/objects/:kind/:name/ping`, when the other side works; otherwise what is wrong. */
export interface PingAnswer {
  readonly kind: string;
  readonly name: string;
  /** Who tried. */
  readonly server: string;
  readonly durationMs: number;
  readonly detail: string;
}

/** `GET /v1/objects/:kind/:name/status`: empty for kinds of which servers have nothing to tell. */
export interface LiveObject {
  readonly kind: string;
  readonly name: string;
  readonly servers: readonly LiveServer[];
}

export interface LiveServer {
  readonly server: string;
  readonly workers: readonly LiveWorker[];
  /** Why the server did not answer. */
  readonly reason?: string;
}

export interface LiveWorker {
  readonly id: number;
  readonly pid: number;
  /** `open`: its circuit breaker lets nothing through. */
  readonly state: "ready" | "open" | "half-open" | "inactive" | "failed";
  readonly figures: Readonly<Record<string, number>>;
  readonly lastError?: string;
}

/** `POST /v1/apply`: all or nothing. What is not named is left alone. */
export interface ApplyRequest {
  readonly objects: readonly ObjectDocument[];
  /** Deleted in the same transaction. */
  readonly delete?: readonly ObjectDeletion[];
  readonly dryRun?: boolean;
  /**
   * As `dryRun`, and every change says which fields differ. A new object may lack secrets then,
   * because whoever only compares need not know them.
   */
  readonly compare?: boolean;
}

export interface ObjectDeletion extends ObjectKey {
  /** Refuse when the object is not at this revision. */
  readonly revision?: number;
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
  /** With `compare`: the fields of `spec` that differ, and every secret that was given. */
  readonly fields?: readonly FieldChange[];
}

/** One field of `spec`; a value that is absent on one side is absent here. */
export type FieldChange =
  | {
    /** `cors.origins`: objects are gone into, lists are one value. */
    readonly field: string;
    readonly before?: unknown;
    readonly after?: unknown;
  }
  | { readonly field: string; readonly secret: "changed" | "unchanged" };

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

/** `GET /v1/deployments`: every act of deploying, newest first. */
export type DeploymentView = DeploymentRow;

/** `POST /v1/deployments/source`: one file that imports nothing but the platform and `node:`. */
export interface DeploySourceRequest {
  readonly name: string;
  readonly source: string;
}

/** `GET /v1/deployments/:file` */
export interface DeploymentDetail {
  readonly file: string;
  /** Newest first. */
  readonly history: readonly DeploymentView[];
  readonly servers: readonly FileOnServer[];
}

/** What one server makes of one file. */
export interface FileOnServer {
  readonly server: string;
  /** `live`: every worker runs the current code; `behind`: it has not followed yet. */
  readonly outcome: "live" | "failed" | "behind" | "unreachable";
  readonly reason?: string;
  /** What each worker runs; null: nothing of this file. */
  readonly workers: readonly {
    readonly id: number;
    readonly pid: number;
    readonly state: string;
    readonly hash: string | null;
  }[];
}

/** `POST /v1/deployments/:file/rollback` answers a DeployResult. */
export interface RollbackRequest {
  /** A hash, or at least its first four digits. Default: the version before the current one. */
  readonly to?: string;
}

/** `DELETE /v1/deployments/:file` */
export interface UndeployResult {
  readonly file: string;
  readonly revision: number;
  readonly servers: readonly ServerOutcome[];
}

/** `GET /v1/invocations?state=&service=&limit=`, newest first; `GET /v1/invocations/:id` */
export type { InvocationDetail, InvocationRow as InvocationView } from "../odb/durable-types.ts";

/**
 * `POST /v1/invocations` answers `{ id }`; `POST /v1/invocations/:id/retry` and `.../cancel` and
 * `DELETE /v1/invocations/:id` answer nothing.
 */
export interface EnqueueRequest {
  readonly service: string;
  readonly input: unknown;
  /** Default 0. */
  readonly delayMs?: number;
  /** Default 5. */
  readonly attempts?: number;
  /** Default 1,000. */
  readonly retryMs?: number;
  readonly callback?: string;
}

/** `ended`: none of its times is left; `alarm`: it is enabled and will never run. */
export const jobStates = ["active", "paused", "inactive", "ended", "alarm"] as const;
export type JobState = (typeof jobStates)[number];

/** `GET /v1/jobs?state=&after=NAME&limit=`, by name; at most 100 unless `limit` says otherwise */
export interface JobView {
  readonly name: string;
  readonly service: string;
  /** In words, such as `every 5m` or `cron 0 9 * * MON-FRI in Europe/Vienna`. */
  readonly schedule: string;
  readonly state: JobState;
  /** When it runs next, without jitter; null when it does not. */
  readonly nextAt: string | null;
  /** The latest run that has begun, or was skipped. */
  readonly lastRun: RunView | null;
  /** Why it will never run, with `alarm`. */
  readonly reason?: string;
}

/** `GET /v1/jobs/:name` */
export interface JobDetail extends JobView {
  readonly spec: JobSpec;
  readonly paused: { readonly by: string; readonly at: string } | null;
  /** The next five times. */
  readonly next: readonly string[];
  /** The latest ten, newest first. */
  readonly runs: readonly RunView[];
  /** Why it did not run, or what it does next, in one sentence. */
  readonly explanation: Explanation;
}

/** `GET /v1/jobs/:name/next?count=` */
export interface NextTimes {
  readonly times: readonly string[];
  /** In one sentence. */
  readonly explanation: Explanation;
}

/**
 * `POST /v1/jobs/:name/run` answers `{ id }` of the run; `POST /v1/jobs/:name/pause` and
 * `.../resume` answer nothing.
 */
export interface RunJobRequest {
  /** Instead of the job's own. */
  readonly input?: unknown;
}

/**
 * `GET /v1/runs?job=&state=&hasBegun=&limit=`, newest first; `GET /v1/runs/:id`;
 * `POST /v1/runs/:id/cancel` answers nothing
 */
export type { RunDetail } from "../odb/job-types.ts";
export type RunView = RunRow;

/** `GET /v1/leases`, `GET /v1/leases/history?name=&limit=` */
export type { LeaseRow as LeaseView, LeaseTerm as LeaseTermView } from "../odb/lease-types.ts";

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
