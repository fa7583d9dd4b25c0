import type { NamedSpec, StoredObject } from "../catalog/kind.ts";
import type { InvocationStore, LockStore } from "./durable-types.ts";
import type { IdempotencyStore } from "./idempotency-types.ts";
import type { JobStore } from "./job-types.ts";
import type { LeaseStore } from "./lease-types.ts";

export const odbDialects = ["sqlite", "postgresql", "mysql"] as const;
export type OdbDialect = (typeof odbDialects)[number];

/**
 * An open ODB. Every call rejects with ODB_UNREACHABLE (kind `peer`) when the database does not
 * answer within the connection's time limit; nothing hangs.
 */
export interface Odb extends AsyncDisposable {
  readonly dialect: OdbDialect;
  /** Without user or password, for people. */
  readonly address: string;
  /** Brings the schema up to this version. Any number of starters may race. */
  migrate(): Promise<MigrationResult>;
  /**
   * Throws ODB_NO_SCHEMA, ODB_OLDER_SCHEMA, or ODB_NEWER_SCHEMA when a newer version of us has made
   * a schema that we cannot use.
   */
  checkSchema(): Promise<void>;
  /** Drops every table of ours. */
  drop(): Promise<void>;
  ping(): Promise<void>;
  createCluster(name: string, options: { readonly keyCheck: string }): Promise<void>;
  listClusters(): Promise<readonly ClusterRow[]>;
  /** Throws ODB_NO_CLUSTER with the nearest name. */
  cluster(name: string): Promise<ClusterStore>;
  close(): Promise<void>;
}

export interface MigrationResult {
  readonly from: number;
  readonly to: number;
}

export interface ClusterRow {
  readonly name: string;
  readonly revision: number;
  readonly createdAt: string;
  /** A known text sealed with the cluster key: tells a wrong key at start. */
  readonly keyCheck: string;
}

/** Everything of one cluster. */
export interface ClusterStore
  extends InvocationStore, LockStore, LeaseStore, JobStore, IdempotencyStore {
  readonly row: ClusterRow;
  /** The cluster's revision now; the cheapest question there is. */
  revision(): Promise<number>;
  /** The whole desired state, from one consistent read. */
  snapshot(): Promise<ClusterSnapshot>;

  listObjects(kind?: string): Promise<readonly StoredObject[]>;
  getObject(kind: string, name: string): Promise<StoredObject | undefined>;
  objectHistory(kind: string, name: string): Promise<readonly ObjectHistoryRow[]>;
  /** Objects that refer to this object (or, with `kind` "Service", to this service). */
  usersOf(kind: string, name: string): Promise<readonly ObjectKey[]>;
  /**
   * Carries out all changes or none, in one transaction that raises the cluster's revision by one
   * (not when nothing really changes, and never with `dryRun`). Order within `changes` does not
   * matter: references are checked at the end. Once it is carried out, no planned run begins of a
   * job that was deleted or made inactive, nor any later one as a changed job was before.
   * Throws ODB_REFERENCE_MISSING (naming object, field, missing name and the nearest that exists),
   * ODB_IN_USE (listing the users), ODB_NO_OBJECT, ODB_REVISION_CONFLICT, and what `check` throws.
   */
  change(changes: readonly ObjectChange[], options: ChangeOptions): Promise<ChangeResult>;

  /** Stores a bundle without making it current. Storing the same hash of the same file again is harmless. */
  storeBundle(bundle: NewBundle, by: string): Promise<void>;
  getBundle(hash: string): Promise<Bundle | undefined>;
  /**
   * Points files at bundles and replaces their services, all or none, raising the revision.
   * Throws ODB_SERVICE_TAKEN when another file has a service of that name, ODB_IN_USE when a
   * service that would disappear is used by a channel.
   */
  deploy(files: readonly FileDeployment[], by: string): Promise<{ readonly revision: number }>;
  /** Removes a file and its services; throws ODB_IN_USE, ODB_NO_OBJECT. */
  undeploy(file: string, by: string): Promise<{ readonly revision: number }>;
  /** Every act of deploying, newest first; those of one file when it is named. */
  listDeployments(file?: string): Promise<readonly DeploymentRow[]>;
  /**
   * Forgets the code of a file's bundles but the `keep` that were current last, and of those that
   * were never current an hour after they came. What was deployed when stays on record. Returns
   * how many were forgotten.
   */
  pruneBundles(file: string, keep: number): Promise<number>;
  listServices(): Promise<readonly ServiceRow[]>;

  /**
   * Adds or updates the row of a server; times are the database's. A row of another incarnation is
   * left alone, and the answer false, unless that one is `down`, has not been seen for
   * `lostAfterMs` (default 10,000), or is the one named by `replaces`.
   */
  reportServer(report: ServerReport, options?: ReportOptions): Promise<boolean>;
  /** For a clean goodbye (`down`); false when the row is not, or no longer, this incarnation's. */
  setServerState(
    server: Pick<ServerReport, "name" | "incarnation">,
    state: ServerState,
  ): Promise<boolean>;
  /** A server not seen for `lostAfterMs` (default 10,000), by database time, is listed as `lost`. */
  listServers(options?: { readonly lostAfterMs?: number }): Promise<readonly ServerRow[]>;
  deleteServer(name: string): Promise<void>;
}

export interface ObjectKey {
  readonly kind: string;
  readonly name: string;
}

/** A reference as a row: the database itself refuses to delete what is referred to. */
export interface ObjectReference {
  readonly field: string;
  /** Kinds under which the name may be found; `["Service"]` for services. */
  readonly kinds: readonly string[];
  readonly name: string;
}

export type ObjectChange =
  | {
    readonly op: "put";
    readonly kind: string;
    readonly name: string;
    /** Secrets already sealed. */
    readonly spec: Readonly<Record<string, unknown>>;
    readonly references: readonly ObjectReference[];
    /** Refuse unless the object is at this revision; 0: unless it does not exist. */
    readonly ifRevision?: number;
  }
  | {
    readonly op: "delete";
    readonly kind: string;
    readonly name: string;
    readonly ifRevision?: number;
  };

export interface ChangeOptions {
  readonly by: string;
  readonly dryRun?: boolean;
  /** Whether the objects can stand beside one another. Not asked when nothing really changes. */
  readonly check?: ChangeCheck;
}

export interface ChangeCheck {
  /** The kinds whose objects it wants to see. */
  readonly kinds: readonly string[];
  /** Called inside the transaction with their objects as they would be; may throw. */
  run(objects: ReadonlyMap<string, readonly NamedSpec[]>): void;
}

export interface ChangeResult {
  /** The cluster's revision after it. */
  readonly revision: number;
  readonly changes: readonly (ObjectKey & {
    readonly action: "created" | "updated" | "unchanged" | "deleted";
    /** The object's own revision. */
    readonly revision: number;
  })[];
}

export interface ObjectHistoryRow {
  readonly revision: number;
  readonly clusterRevision: number;
  readonly action: "created" | "updated" | "deleted";
  readonly spec: Readonly<Record<string, unknown>>;
  readonly changedBy: string;
  readonly changedAt: string;
}

export interface ClusterSnapshot {
  readonly revision: number;
  readonly objects: readonly StoredObject[];
  readonly bundles: readonly BundleKey[];
}

export interface BundleKey {
  readonly file: string;
  /** SHA-256 of the code, hexadecimal. */
  readonly hash: string;
}

export interface NewBundle extends BundleKey {
  readonly code: string;
  readonly sourceMap: string;
}

export interface Bundle extends NewBundle {
  readonly createdAt: string;
  readonly createdBy: string;
}

export interface FileDeployment extends BundleKey {
  readonly services: readonly ServiceDescription[];
}

export interface ServiceDescription {
  readonly name: string;
  readonly description: string;
  /** JSON Schema, where there is one. */
  readonly input?: unknown;
  readonly output?: unknown;
}

export interface DeploymentRow extends BundleKey {
  readonly current: boolean;
  readonly services: readonly string[];
  readonly deployedAt: string;
  readonly deployedBy: string;
  /** False when its code was pruned: it cannot be brought back by its hash. */
  readonly isKept: boolean;
  /** Set when the file was deleted while this was current. */
  readonly removedAt: string | null;
  readonly removedBy: string | null;
}

export interface ServiceRow extends ServiceDescription {
  readonly file: string;
  readonly hash: string;
  readonly deployedAt: string;
}

/** `down`: left cleanly; `lost`: not heard of for too long. */
export const serverStates = ["joining", "up", "draining", "down", "lost"] as const;
export type ServerState = (typeof serverStates)[number];

/** Something that a server could not bring to life, and why. */
export interface ServerFailure {
  /** A kind, or `Deployment`. */
  readonly kind: string;
  readonly name: string;
  readonly error: string;
}

export interface ServerReport {
  readonly name: string;
  readonly state: ServerState;
  readonly url: string;
  readonly adminUrl: string;
  readonly version: string;
  readonly startedAt: string;
  readonly revision: number;
  readonly stateHash: string;
  readonly failures: readonly ServerFailure[];
  /** Unique for each start of the server; empty for rows that an older version wrote. */
  readonly incarnation: string;
  /** Plain JSON, such as what each worker runs; null when there is nothing to say. */
  readonly details: unknown;
}

export interface ReportOptions {
  /** An incarnation whose row may be taken over although it was seen a moment ago. */
  readonly replaces?: string | undefined;
  readonly lostAfterMs?: number;
}

export interface ServerRow extends ServerReport {
  readonly lastSeenAt: string;
}
