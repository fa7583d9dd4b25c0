import { randomBytes } from "node:crypto";
import { type Insertable, type RawBuilder, sql } from "kysely";
import type { ClusterContext } from "../../context.ts";
import type { RunRow, RunState, RunTerms, RunTrigger } from "../../job-types.ts";
import type { Tables } from "../../schema.ts";

/** RunTerms as the column `terms` keeps them. */
export type StoredTerms = Omit<RunTerms, "service" | "input">;

/** What RunRow lists; `where` it is the caller's to say. */
export function selectRuns({ db, clusterId }: ClusterContext) {
  return db.selectFrom("job_run")
    .select(["id", "job", "planned_at as plannedAt", "due_at as dueAt", "run_trigger as trigger"])
    .select(["state", "reason", "attempt", "server", "claim_epoch as epoch"])
    .select(["planner_epoch as plannerEpoch", "requested_by as requestedBy"])
    .select(["started_at as startedAt", "finished_at as finishedAt"])
    .where("cluster_id", "=", clusterId);
}

export function updateRuns({ db, clusterId }: ClusterContext) {
  return db.updateTable("job_run").where("cluster_id", "=", clusterId);
}

type SelectedRun =
  & Omit<RunRow, "trigger" | "state" | "cid" | "durationMs">
  & { readonly trigger: string; readonly state: string };

/** A row with just what RunRow names. */
export function runRowOf(row: SelectedRun): RunRow {
  const { id, job, plannedAt, dueAt, reason, attempt, server, epoch, plannerEpoch } = row;
  const { startedAt, finishedAt, requestedBy } = row;
  const state = row.state as RunState; // only this folder writes it
  const trigger = row.trigger as RunTrigger; // likewise
  const isOver = startedAt !== null && finishedAt !== null;
  const durationMs = isOver ? Date.parse(finishedAt) - Date.parse(startedAt) : null;
  const cid = startedAt === null ? null : id;
  const what = { id, job, plannedAt, dueAt, trigger, state, reason, attempt };
  const who = { server, epoch, plannerEpoch, cid, requestedBy };
  return { ...what, ...who, startedAt, finishedAt, durationMs };
}

export interface RunToWrite {
  readonly job: string;
  readonly plannedAt: string;
  readonly dueAt: string;
  readonly attempt: number;
  readonly trigger: RunTrigger;
  readonly plannerEpoch: number;
  readonly requestedBy: string | null;
  readonly terms: RunTerms;
}

/** The row of a run that waits for its time. */
export function plannedRow(
  { clusterId }: ClusterContext,
  run: RunToWrite,
): Insertable<Tables["job_run"]> & { readonly id: string } {
  const { service, input, ...terms } = run.terms;
  return {
    id: createRunId(),
    cluster_id: clusterId,
    job: run.job,
    planned_at: run.plannedAt,
    attempt: run.attempt,
    due_at: run.dueAt,
    run_trigger: run.trigger,
    state: "planned",
    reason: null,
    service,
    input: JSON.stringify(input ?? null),
    terms: JSON.stringify(terms satisfies StoredTerms),
    overlap: terms.overlap,
    wake_at: run.dueAt,
    open_job: run.job,
    claim_epoch: 0,
    planner_epoch: run.plannerEpoch,
    requested_by: run.requestedBy,
    finished_at: null,
  };
}

/** The terms that a row was planned under. */
export function parseTerms({ terms }: { readonly terms: string }): StoredTerms {
  return JSON.parse(terms); // written by plannedRow alone
}

/** An expression that gives each of these rows a text of its own. */
export function textById(
  texts: readonly { readonly id: string; readonly text: string }[],
): RawBuilder<string> {
  const cases = texts.map(({ id, text }) => sql`when ${id} then ${text}`);
  return sql<string>`case id ${sql.join(cases, sql` `)} end`;
}

/** The same for integers. */
export function integerById(
  values: readonly { readonly id: string; readonly value: number }[],
): RawBuilder<number> {
  // Written out: PostgreSQL takes parameters here for text.
  const cases = values.map(({ id, value }) => sql`when ${id} then ${sql.lit(value)}`);
  return sql<number>`case id ${sql.join(cases, sql` `)} end`;
}

/** Errors and reasons, cut; not every database keeps NUL and halves of surrogate pairs. */
export function storedText(text: string): string {
  return text.slice(0, textMax).replaceAll("\0", " ").toWellFormed();
}

const textMax = 4_000;

/** 32 characters that sort by time: 12 of milliseconds, 20 that are random. */
function createRunId(): string {
  return Date.now().toString(16).padStart(12, "0") + randomBytes(10).toString("hex");
}

/** The same for these rows; there must be one at least. */
export function updateRunsOf(cluster: ClusterContext, runs: readonly { readonly id: string }[]) {
  return updateRuns(cluster).where("id", "in", runs.map(({ id }) => id));
}
