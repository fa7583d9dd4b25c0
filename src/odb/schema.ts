import type { Generated, Kysely } from "kysely";

/**
 * The tables as Kysely sees them; the migrations make them. Times are ISO 8601 text in UTC with
 * milliseconds, written by the database's clock: the same on every database, and in order as text.
 * Whatever is JSON is canonical JSON text.
 */
export interface Tables {
  readonly schema_version: {
    readonly version: number;
    readonly name: string;
    readonly applied_at: string;
  };
  readonly cluster: {
    readonly id: Generated<number>;
    readonly name: string;
    readonly revision: number;
    readonly key_check: string;
    readonly created_at: string;
  };
  readonly object: {
    readonly id: Generated<number>;
    readonly cluster_id: number;
    readonly kind: string;
    readonly name: string;
    readonly spec: string;
    readonly revision: number;
    readonly created_at: string;
    readonly created_by: string;
    readonly updated_at: string;
    readonly updated_by: string;
  };
  /** Exactly one of the two targets is set. */
  readonly object_reference: {
    readonly object_id: number;
    readonly field: string;
    readonly target_object_id: number | null;
    readonly target_service_id: number | null;
  };
  /** Outlives its object, so it names it instead of pointing at it. */
  readonly object_history: {
    readonly cluster_id: number;
    readonly kind: string;
    readonly name: string;
    readonly revision: number;
    readonly cluster_revision: number;
    readonly action: string;
    readonly spec: string;
    readonly changed_at: string;
    readonly changed_by: string;
  };
  readonly bundle: {
    readonly id: Generated<number>;
    readonly cluster_id: number;
    readonly file: string;
    readonly hash: string;
    readonly code: string;
    readonly source_map: string;
    readonly created_at: string;
    readonly created_by: string;
  };
  /** One row per deployed file and act of deploying; `revision` is the cluster's after it. */
  readonly deployment: {
    readonly id: Generated<number>;
    readonly cluster_id: number;
    readonly file: string;
    readonly revision: number;
    readonly bundle_id: number;
    /** JSON list of names. */
    readonly services: string;
    readonly deployed_at: string;
    readonly deployed_by: string;
    readonly removed_at: string | null;
    readonly removed_by: string | null;
  };
  /** Which deployment of a file is the current one. */
  readonly deployed_file: {
    readonly cluster_id: number;
    readonly file: string;
    readonly deployment_id: number;
  };
  readonly service: {
    readonly id: Generated<number>;
    readonly cluster_id: number;
    readonly name: string;
    readonly deployment_id: number;
    readonly description: string;
    readonly input_schema: string | null;
    readonly output_schema: string | null;
  };
  readonly server: {
    readonly cluster_id: number;
    readonly name: string;
    readonly state: string;
    readonly url: string;
    readonly admin_url: string;
    readonly version: string;
    readonly started_at: string;
    readonly revision: number;
    readonly state_hash: string;
    readonly failures: string;
    readonly last_seen_at: string;
  };
}

/** Every table of ours, each after those it points at. */
export const tableNames = [
  "schema_version",
  "cluster",
  "object",
  "bundle",
  "deployment",
  "deployed_file",
  "service",
  "object_reference",
  "object_history",
  "server",
] as const satisfies readonly (keyof Tables)[];

export type OdbDatabase = Kysely<Tables>;
