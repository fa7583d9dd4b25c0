import { rowBatches } from "../../batches.ts";
import type { ClusterContext } from "../../context.ts";
import { updateRuns } from "./rows.ts";

/**
 * Of each job, the run that has waited longest gets its turn, if any waits. For when a run has ended,
 * and when one that had its turn will not make use of it; otherwise it waits on.
 */
export async function wakeWaiting(cluster: ClusterContext, jobs: readonly string[]): Promise<void> {
  if (jobs.length === 0) return;
  const heads = await cluster.db.selectFrom("job_run")
    .select(({ fn }) => ["open_job as job", fn.min("due_at").as("dueAt")])
    .where("cluster_id", "=", cluster.clusterId)
    .where("open_job", "in", jobs).where("wake_at", "is", null).groupBy("open_job").execute();
  for (const batch of rowBatches(heads)) {
    await updateRuns(cluster).set(({ ref }) => ({ wake_at: ref("due_at") }))
      .where("wake_at", "is", null)
      .where(({ eb, or, and }) =>
        or(batch.map(({ job, dueAt }) => and([eb("open_job", "=", job), eb("due_at", "=", dueAt)])))
      ).execute();
  }
}
