import { sql } from "kysely";
import { type ClusterContext, databaseTime } from "../../context.ts";
import { requireName } from "../../names.ts";
import { write } from "../../transactions.ts";
import { insertProgress, updateProgress } from "./progress.ts";
import { skipPlanned, withdrawPlanned } from "./withdrawal.ts";

/** See JobStore.pauseJob. */
export async function pauseJob(cluster: ClusterContext, job: string, by: string): Promise<void> {
  requireName("The job name", job);
  requireName("The author", by);
  await write(cluster, async (inside) => {
    await insertProgress(inside, [job]);
    const { numUpdatedRows } = await updateProgress(inside, [job])
      .set({ paused_by: by, paused_at: databaseTime(inside) })
      .where("paused_at", "is", null).executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return { commit: false, value: undefined };
    await withdrawPlanned(inside, [job], { isPlannedAnew: false });
    await skipPlanned(inside, [job], {
      triggers: ["retry"],
      reason: `The job was paused by ${by}`,
    });
    return { commit: true, value: undefined };
  });
}

/** See JobStore.resumeJob. */
export async function resumeJob(cluster: ClusterContext, job: string): Promise<void> {
  await updateProgress(cluster, [job]).set(({ eb }) => ({
    paused_by: null,
    paused_at: null,
    planned_until: databaseTime(cluster),
    // A schedule that has come to its end does not begin again.
    next_at: sql<string | null>`case when next_at is null then null
      else ${databaseTime(cluster)} end`,
    version: eb("version", "+", 1),
  })).where("paused_at", "is not", null).execute();
}
