import { sql } from "kysely";
import { keyBatches } from "../../batches.ts";
import { type ClusterContext, databaseTime, orUpdate } from "../../context.ts";
import type { DroppedRuns, JobRow } from "../../job-types.ts";
import { requireName } from "../../names.ts";
import { write } from "../../transactions.ts";
import { updateRuns } from "./rows.ts";
import { wakeWaiting } from "./waiting.ts";

/** See JobStore.listJobRows. */
export async function listJobRows({ db, clusterId }: ClusterContext): Promise<readonly JobRow[]> {
  const rows = await db.selectFrom("job_progress")
    .select(["job", "schedule_hash as scheduleHash", "planned_until as plannedUntil"])
    .select(["planned_count as plannedCount", "next_at as nextAt", "version"])
    .select(["paused_by as pausedBy", "paused_at as pausedAt"])
    .where("cluster_id", "=", clusterId).orderBy("job").execute();
  return rows.map((row) => ({ ...row, paused: row.pausedAt !== null }));
}

/** See JobStore.pauseJob. */
export async function pauseJob(cluster: ClusterContext, job: string, by: string): Promise<void> {
  requireName("The job name", job);
  requireName("The author", by);
  await write(cluster, async (inside) => {
    await insertProgress(inside, [job]);
    // First, so that a planner that is about to write plans for the job waits, and then does not.
    const { numUpdatedRows } = await updateProgress(inside, job).set(({ eb }) => ({
      paused_by: by,
      paused_at: databaseTime(inside),
      version: eb("version", "+", 1),
    })).where("paused_at", "is", null).executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return { commit: false, value: undefined };
    const dropped = await dropPlanned(inside, [{ job, after: null }]);
    await skipRetries(inside, job, by);
    if (dropped > 0) {
      await updateProgress(inside, job).set(({ eb }) => ({
        planned_until: databaseTime(inside),
        planned_count: eb("planned_count", "-", dropped),
        next_at: databaseTime(inside),
      })).execute();
    }
    return { commit: true, value: undefined };
  });
}

/** See JobStore.resumeJob. */
export async function resumeJob(cluster: ClusterContext, job: string): Promise<void> {
  await updateProgress(cluster, job).set(({ eb }) => ({
    paused_by: null,
    paused_at: null,
    planned_until: databaseTime(cluster),
    // A schedule that has come to its end does not begin again.
    next_at: sql<string | null>`case when next_at is null then null
      else ${databaseTime(cluster)} end`,
    version: eb("version", "+", 1),
  })).where("paused_at", "is not", null).execute();
}

/** Makes the rows that are not there yet; they belong to no schedule. */
export async function insertProgress(
  cluster: ClusterContext,
  jobs: readonly string[],
): Promise<void> {
  for (const batch of keyBatches(jobs)) {
    const rows = batch.map((job) => ({
      cluster_id: cluster.clusterId,
      job,
      schedule_hash: "",
      planned_until: databaseTime(cluster),
      planned_count: 0,
      version: 0,
    }));
    await cluster.db.insertInto("job_progress").values(rows)
      .modifyEnd(orUpdate(cluster, ["cluster_id", "job"])).execute();
  }
}

/** Deletes planned times that have not begun; returns how many. */
export async function dropPlanned(
  cluster: ClusterContext,
  drops: readonly DroppedRuns[],
): Promise<number> {
  let count = 0;
  for (const [after, some] of Map.groupBy(drops, (drop) => drop.after)) {
    for (const jobs of keyBatches(some.map(({ job }) => job))) {
      const dropped = await dropOf(cluster, jobs, after);
      // The one whose turn it was may be among them.
      if (dropped > 0) await wakeWaiting(cluster, jobs);
      count += dropped;
    }
  }
  return count;
}

async function dropOf(
  { db, clusterId }: ClusterContext,
  jobs: readonly string[],
  after: string | null,
): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom("job_run").where("cluster_id", "=", clusterId)
    .where("open_job", "in", jobs).where("state", "=", "planned")
    .where("run_trigger", "=", "schedule")
    .$if(after !== null, (query) => query.where("planned_at", ">", after))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function skipRetries(cluster: ClusterContext, job: string, by: string): Promise<void> {
  await updateRuns(cluster).set({
    state: "skipped",
    reason: `The job was paused by ${by}`,
    wake_at: null,
    open_job: null,
    finished_at: databaseTime(cluster),
  }).where("open_job", "=", job).where("state", "=", "planned").where("run_trigger", "=", "retry")
    .execute();
  await wakeWaiting(cluster, [job]);
}

function updateProgress({ db, clusterId }: ClusterContext, job: string) {
  return db.updateTable("job_progress").where("cluster_id", "=", clusterId).where("job", "=", job);
}
