import { keyBatches } from "../../batches.ts";
import { type ClusterContext, databaseTime, orUpdate } from "../../context.ts";
import type { DroppedRuns, JobRow } from "../../job-types.ts";
import { readTime } from "../clock.ts";
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

/** Jobs that are active again: times until now are not made up for. */
export async function beginNow(inside: ClusterContext, jobs: readonly string[]): Promise<void> {
  for (const batch of keyBatches(jobs)) {
    const now = await readTime(inside);
    await updateProgress(inside, batch).set({ planned_until: now, next_at: now }).execute();
  }
}

/** Jobs that are new; they have nothing to do with namesakes that were there before. */
export async function beginAnew(inside: ClusterContext, jobs: readonly string[]): Promise<void> {
  for (const batch of keyBatches(jobs.toSorted())) {
    await insertProgress(inside, batch);
    const now = await readTime(inside);
    await updateProgress(inside, batch).set(({ eb }) => ({
      schedule_hash: "",
      planned_until: now,
      planned_count: 0,
      next_at: now,
      version: eb("version", "+", 1),
    })).execute();
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

/** Of these jobs; the columns and further conditions are the caller's to say. */
export function updateProgress({ db, clusterId }: ClusterContext, jobs: readonly string[]) {
  return db.updateTable("job_progress").where("cluster_id", "=", clusterId)
    .where("job", "in", jobs);
}
