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
  readonly schema_requirement: {
    readonly version: number;
    readonly needs: number;
    readonly applied_by: string;
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
    readonly incarnation: string;
    /** Null in rows of before there was such a column. */
    readonly details: string | null;
  };
  readonly invocation: {
    readonly id: string;
    readonly cluster_id: number;
    readonly service: string;
    readonly input: string;
    readonly cid: string;
    readonly state: string;
    /** Attempts that began, but for those that were lost with their server. */
    readonly attempts: number;
    readonly attempts_max: number;
    readonly retry_ms: number;
    /** Times that a claim ran out, or its worker ended. */
    readonly losses: number;
    /** When somebody may take it: its time, or, while it runs, the end of the claim; null at the end. */
    readonly due_at: string | null;
    readonly claimed_by: string | null;
    /** Rises with every claim: only the holder of the last one may say how it ended. */
    readonly claim_epoch: number;
    readonly callback: string | null;
    readonly last_error: string | null;
    readonly output: string | null;
    /** Length of the output's JSON, also when it was too long to be kept. */
    readonly output_length: number | null;
    readonly created_at: string;
    readonly finished_at: string | null;
  };
  /** Never deleted: the token must go on rising. */
  readonly cluster_lock: {
    readonly cluster_id: number;
    readonly name: string;
    readonly owner: string | null;
    readonly token: number;
    readonly expires_at: string | null;
  };
  /** Never deleted: the epoch must go on rising. */
  readonly lease: {
    readonly cluster_id: number;
    readonly name: string;
    /** Who holds it, or held it last. */
    readonly server: string;
    readonly incarnation: string;
    readonly epoch: number;
    readonly acquired_at: string;
    /** Null when it was given up. */
    readonly expires_at: string | null;
  };
  readonly lease_term: {
    readonly cluster_id: number;
    readonly name: string;
    readonly epoch: number;
    readonly server: string;
    readonly incarnation: string;
    readonly started_at: string;
    /** Both null while it lasts, and when it expired and nobody has taken the lease since. */
    readonly ended_at: string | null;
    readonly ending: string | null;
  };
  readonly job_progress: {
    readonly cluster_id: number;
    readonly job: string;
    readonly schedule_hash: string;
    readonly planned_until: string;
    readonly planned_count: number;
    readonly next_at: string | null;
    readonly paused_by: string | null;
    readonly paused_at: string | null;
    /** Rises when the job changes, is paused and resumed: a plan made before is not for this row. */
    readonly version: number;
  };
  readonly job_run: {
    readonly id: string;
    readonly cluster_id: number;
    readonly job: string;
    readonly planned_at: string;
    readonly attempt: number;
    readonly due_at: string;
    readonly run_trigger: string;
    readonly state: string;
    /** Why it was skipped, failed or lost; for planned ones, what they wait for. */
    readonly reason: string | null;
    readonly service: string;
    readonly input: string;
    /** RunTerms but for service and input. */
    readonly terms: string;
    /** The one of the terms that the database itself looks at. */
    readonly overlap: string;
    /**
     * When somebody has to look at it: its time, or, while it runs, the end of the claim. Null at
     * the end, and while it waits for the run of `exclusive_job` to end.
     */
    readonly wake_at: string | null;
    /** The job until the end, then null: finds what is not over among a long history. */
    readonly open_job: string | null;
    /** The job while it runs and must be the only one, else null: the database holds that. */
    readonly exclusive_job: string | null;
    readonly server: string | null;
    readonly incarnation: string | null;
    readonly claim_epoch: number;
    readonly planner_epoch: number;
    /** Set when it is to end before its time. */
    readonly cancel_reason: string | null;
    readonly requested_by: string | null;
    readonly started_at: string | null;
    readonly finished_at: string | null;
    readonly output: string | null;
    /** Length of the output's JSON, also when it was too long to be kept. */
    readonly output_length: number | null;
  };
  readonly idempotency_key: {
    readonly cluster_id: number;
    /** Channel, client and key in one. */
    readonly id: string;
    readonly fingerprint: string;
    /** Of the request that has the key. */
    readonly cid: string;
    /** Who executes that, or did last. */
    readonly server: string;
    readonly incarnation: string;
    /** `begun`, `done`, or `lost` with the worker that executed it. */
    readonly state: string;
    /** When it got into this state. */
    readonly changed_at: string;
    /** These are set when it is done; the body is null also when it was too long to be kept. */
    readonly status: number | null;
    readonly headers: string | null;
    readonly body: string | null;
  };
}

/** Every table of ours, each after those it points at. */
export const tableNames = [
  "schema_version",
  "schema_requirement",
  "cluster",
  "object",
  "bundle",
  "deployment",
  "deployed_file",
  "service",
  "object_reference",
  "object_history",
  "server",
  "invocation",
  "cluster_lock",
  "lease",
  "lease_term",
  "job_progress",
  "job_run",
  "idempotency_key",
] as const satisfies readonly (keyof Tables)[];

export type OdbDatabase = Kysely<Tables>;
