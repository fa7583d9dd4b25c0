import { sql } from "kysely";
import { keyBatches } from "../../batches.ts";
import { type ClusterContext, databaseTime } from "../../context.ts";
import type { RunTrigger } from "../../job-types.ts";
import { readTime } from "../clock.ts";
import { calendarKind, jobKind } from "../keys.ts";
import type { PlannedChange } from "../object-plan.ts";
import { isActive } from "./job-states.ts";
import { beginAnew, beginNow, insertProgress, updateProgress } from "./progress.ts";
import { storedText, updateRuns } from "./rows.ts";
import { wakeWaiting } from "./waiting.ts";

/**
 * Takes back the runs of jobs that these changes touch, in the changes' own transaction: once it
 * is committed, no run begins under a definition that is gone, whether or not somebody leads. The
 * planner goes on from the time of the change. What runs already, ends.
 */
export async function withdrawChanged(
  inside: ClusterContext,
  changes: readonly PlannedChange[],
  by: string,
): Promise<void> {
  const jobs = changes.filter(({ change }) => change.kind === jobKind);
  const deleted = jobs.filter(({ action }) => action === "deleted");
  const created = jobs.filter(({ action }) => action === "created");
  const updated = jobs.filter(({ action }) => action === "updated");
  const inactive = updated.filter(({ spec }) => !isActive(spec));
  const active = updated.filter(({ spec }) => isActive(spec));
  const activated = active.filter(({ before }) => before !== undefined && !isActive(before.spec));
  const changed = new Set([...namesOf(active), ...await activeUsers(inside, changes)]);
  await withdrawPlanned(inside, [...changed], { isPlannedAnew: true });
  await withdrawPlanned(inside, namesOf([...inactive, ...deleted]), { isPlannedAnew: false });
  await beginNow(inside, namesOf(activated));
  await beginAnew(inside, namesOf(created));
  await skipPlanned(inside, namesOf(inactive), {
    triggers: ["retry"],
    reason: `The job was made inactive by ${by}`,
  });
  await skipPlanned(inside, namesOf(deleted), {
    triggers: ["retry", "manual"],
    reason: `The job was deleted by ${by}`,
  });
}

/**
 * Drops what the schedule planned of these jobs and has not begun. A plan that was made before is
 * refused from now on. With `isPlannedAnew`, what is due stays, and the next plan has all times
 * since now, or since those that nobody has planned yet. Jobs that nothing is known of get a row.
 */
export async function withdrawPlanned(
  inside: ClusterContext,
  jobs: readonly string[],
  { isPlannedAnew }: { readonly isPlannedAnew: boolean },
): Promise<void> {
  for (const batch of keyBatches(jobs.toSorted())) {
    await insertProgress(inside, batch);
    // First, so that a planner that is about to write plans waits, and then does not.
    await updateProgress(inside, batch).set(({ eb }) => ({ version: eb("version", "+", 1) }))
      .execute();
    const now = await readTime(inside);
    const planned = await lockPlanned(inside, batch, isPlannedAnew ? now : null);
    await deleteRuns(inside, planned.map(({ id }) => id));
    for (const [count, some] of countsByJob(planned)) {
      await updateProgress(inside, some).set(({ eb }) => ({
        planned_until: now,
        planned_count: eb("planned_count", "-", count),
        next_at: now,
      })).execute();
    }
    if (isPlannedAnew) {
      await updateProgress(inside, batch).set({ planned_until: now, next_at: now })
        .where(({ eb, or }) => or([eb("next_at", "is", null), eb("next_at", ">", now)])).execute();
    }
    // The one whose turn it was may be among them.
    if (planned.length > 0) await wakeWaiting(inside, batch);
  }
}

/** Ends runs that have not begun, for a reason. */
export async function skipPlanned(
  inside: ClusterContext,
  jobs: readonly string[],
  { triggers, reason }: {
    readonly triggers: readonly RunTrigger[];
    readonly reason: string;
  },
): Promise<void> {
  for (const batch of keyBatches(jobs)) {
    await updateRuns(inside).set({
      state: "skipped",
      reason: storedText(reason),
      wake_at: null,
      open_job: null,
      finished_at: databaseTime(inside),
    }).where("open_job", "in", batch).where("state", "=", "planned")
      .where("run_trigger", "in", triggers).execute();
    await wakeWaiting(inside, batch);
  }
}

/** Planned runs of the schedule that nobody can begin before the end of the transaction. */
async function lockPlanned(
  { db, clusterId, awaitTaken }: ClusterContext,
  jobs: readonly string[],
  after: string | null,
) {
  return await db.selectFrom("job_run").select(["id", "job"]).where("cluster_id", "=", clusterId)
    .where("open_job", "in", jobs).where("state", "=", "planned")
    .where("run_trigger", "=", "schedule")
    .$if(after !== null, (query) => query.where("planned_at", ">", after))
    .modifyEnd(sql.raw(awaitTaken)).execute();
}

async function deleteRuns({ db }: ClusterContext, ids: readonly string[]): Promise<void> {
  for (const batch of keyBatches(ids)) {
    await db.deleteFrom("job_run").where("id", "in", batch).execute();
  }
}

/** The active jobs that use calendars that these changes touch. */
async function activeUsers(
  { db, clusterId }: ClusterContext,
  changes: readonly PlannedChange[],
): Promise<readonly string[]> {
  const users: string[] = [];
  const calendars = changes.filter(({ change }) => change.kind === calendarKind);
  for (const ids of keyBatches(calendars.flatMap(({ before }) => before?.id ?? []))) {
    const rows = await db.selectFrom("object as o").select(["o.name", "o.spec"])
      .innerJoin("object_reference as r", "r.object_id", "o.id")
      .where("o.cluster_id", "=", clusterId).where("o.kind", "=", jobKind)
      .where("r.target_object_id", "in", ids).execute();
    users.push(...rows.filter(({ spec }) => isActive(spec)).map(({ name }) => name));
  }
  return users;
}

function namesOf(changes: readonly PlannedChange[]): readonly string[] {
  return changes.map(({ change }) => change.name);
}

/** The jobs of runs, by how many of the runs are theirs. */
function countsByJob(
  runs: readonly { readonly job: string }[],
): ReadonlyMap<number, readonly string[]> {
  const jobs = [...Map.groupBy(runs, ({ job }) => job)];
  const byCount = Map.groupBy(jobs, ([, some]) => some.length);
  return new Map([...byCount].map(([count, some]) => [count, some.map(([job]) => job)]));
}
