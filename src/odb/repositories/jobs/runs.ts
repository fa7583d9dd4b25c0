import { isPlatformError, PlatformError } from "../../../errors/platform-error.ts";
import { keyBatches } from "../../batches.ts";
import {
  type ClusterContext,
  databaseTime,
  databaseTimeAfter,
  timeToCompare,
} from "../../context.ts";
import {
  type JobStore,
  type RunDetail,
  type RunQuery,
  type RunRow,
  type RunState,
  runStates,
} from "../../job-types.ts";
import { requireName } from "../../names.ts";
import { readTime } from "../clock.ts";
import { write } from "../../transactions.ts";
import { plannedRow, runRowOf, selectRuns, storedText, updateRuns } from "./rows.ts";
import { wakeWaiting } from "./waiting.ts";

/** Manual runs of one job that may be asked for within the same millisecond. */
const sameTimeMax = 100;
const pruneMax = 1_000;

/** See JobStore.createRun. */
export async function createRun(
  cluster: ClusterContext,
  { job, terms, by }: Parameters<JobStore["createRun"]>[0],
): Promise<string> {
  requireName("The job name", job);
  requireName("The author", by);
  const now = await readTime(cluster);
  for (let laterMs = 0;; laterMs++) {
    const row = plannedRow(cluster, {
      job,
      plannedAt: new Date(Date.parse(now) + laterMs).toISOString(),
      dueAt: now,
      attempt: 1,
      trigger: "manual",
      plannerEpoch: 0,
      requestedBy: by,
      terms,
    });
    try {
      await cluster.db.insertInto("job_run").values(row).execute();
      return row.id;
    } catch (error) {
      // The schedule, or another operator, has the very same moment.
      if (!isPlatformError(error, "ODB_DUPLICATE") || laterMs === sameTimeMax) throw error;
    }
  }
}

/** See JobStore.listRuns. */
export async function listRuns(
  cluster: ClusterContext,
  { job, state, hasBegun = false, limit = 100 }: RunQuery,
): Promise<readonly RunRow[]> {
  const countMax = Math.min(Math.max(1, limit), 1_000);
  const select = (only: RunState | undefined) =>
    selectRuns(cluster).$if(job !== undefined, (query) => query.where("job", "=", job!))
      .$if(only !== undefined, (query) => query.where("state", "=", only!))
      .$if(hasBegun, (query) => query.where("state", "<>", "planned"))
      .orderBy("planned_at", "desc").orderBy("id", "desc").limit(countMax).execute();
  if (job !== undefined || state !== undefined) return (await select(state)).map(runRowOf);
  // The index is by state first: so each of them is asked for its newest.
  const rows = (await Promise.all(runStates.map(select))).flat();
  return rows.sort(newestFirst).slice(0, countMax).map(runRowOf);
}

/** See JobStore.lastRuns. */
export async function lastRuns(
  cluster: ClusterContext,
  jobs: readonly string[],
): Promise<readonly RunRow[]> {
  if (jobs.length === 0) return [];
  // A look-up in the index for each job, in one question: job_run may have very many rows of each.
  const last = await cluster.db.selectFrom("object as o")
    .select((eb) =>
      eb.selectFrom("job_run as r").select("r.id")
        .whereRef("r.cluster_id", "=", "o.cluster_id").whereRef("r.job", "=", "o.name")
        .where("r.state", "<>", "planned")
        .orderBy("r.planned_at", "desc").orderBy("r.attempt", "desc").limit(1).as("id")
    )
    .where("o.cluster_id", "=", cluster.clusterId).where("o.kind", "=", "Job")
    .where("o.name", "in", jobs).execute();
  const ids = last.flatMap(({ id }) => id ?? []);
  if (ids.length === 0) return [];
  return (await selectRuns(cluster).where("id", "in", ids).execute()).map(runRowOf);
}

/** See JobStore.openJobs. */
export async function openJobs(
  { db, clusterId }: ClusterContext,
  jobs: readonly string[],
): Promise<readonly string[]> {
  const open: string[] = [];
  for (const batch of keyBatches(jobs)) {
    const rows = await db.selectFrom("job_run").select("open_job as job").distinct()
      .where("cluster_id", "=", clusterId).where("open_job", "in", batch).execute();
    open.push(...rows.flatMap(({ job }) => job ?? []));
  }
  return open;
}

/** See JobStore.getRun. */
export async function getRun(cluster: ClusterContext, id: string): Promise<RunDetail> {
  const row = await selectRuns(cluster).select(["service", "input", "output"])
    .select("output_length as outputLength").where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw new PlatformError("RUN_UNKNOWN", { id: id.slice(0, 100) });
  return {
    ...runRowOf(row),
    service: row.service,
    input: JSON.parse(row.input),
    ...(row.output === null ? {} : { output: JSON.parse(row.output) }),
    outputLength: row.outputLength,
  };
}

/** See JobStore.cancelRun. */
export function cancelRun(cluster: ClusterContext, id: string, by: string): Promise<boolean> {
  requireName("The author", by);
  const reason = storedText(`Cancelled by ${by}`);
  return write(cluster, async (inside) => {
    const skipped = await updateRuns(inside).set({
      state: "skipped",
      reason,
      wake_at: null,
      open_job: null,
      finished_at: databaseTime(inside),
    }).where("id", "=", id).where("state", "=", "planned").executeTakeFirstOrThrow();
    const asked = await updateRuns(inside).set({ cancel_reason: reason })
      .where("id", "=", id).where("state", "=", "running").executeTakeFirstOrThrow();
    const { job } = await getRun(inside, id);
    if (skipped.numUpdatedRows > 0n) await wakeWaiting(inside, [job]);
    const isCancelled = skipped.numUpdatedRows + asked.numUpdatedRows > 0n;
    return { commit: isCancelled, value: isCancelled };
  });
}

/** See JobStore.pruneRuns. */
export async function pruneRuns(cluster: ClusterContext, keepMs: number): Promise<number> {
  const { db, clusterId } = cluster;
  const until = timeToCompare(databaseTimeAfter(cluster, -keepMs));
  let count = 0;
  for (const state of ["ok", "failed", "skipped", "lost"] as const) {
    if (count >= pruneMax) break;
    // Runs end after their time, so the index leads to those that can be old enough.
    const rows = await db.selectFrom("job_run").select("id").where("cluster_id", "=", clusterId)
      .where("state", "=", state).where("planned_at", "<=", until)
      .where("finished_at", "<=", until).orderBy("planned_at").limit(pruneMax - count).execute();
    if (rows.length === 0) continue;
    const { numDeletedRows } = await db.deleteFrom("job_run").where("cluster_id", "=", clusterId)
      .where("id", "in", rows.map(({ id }) => id)).executeTakeFirstOrThrow();
    count += Number(numDeletedRows);
  }
  return count;
}

function newestFirst(
  a: { readonly plannedAt: string; readonly id: string },
  b: { readonly plannedAt: string; readonly id: string },
): number {
  const [keyA, keyB] = [a.plannedAt + a.id, b.plannedAt + b.id];
  return keyA < keyB ? 1 : keyA > keyB ? -1 : 0;
}
