import { sql } from "kysely";
import { keyBatches, rowBatches } from "../../batches.ts";
import { type ClusterContext, orUpdate } from "../../context.ts";
import type { JobProgress, NewRun, Plan } from "../../job-types.ts";
import type { LeaseProof } from "../../lease-types.ts";
import { write } from "../../transactions.ts";
import { readTime } from "../clock.ts";
import { requireLease } from "../leases.ts";
import { dropPlanned, insertProgress } from "./progress.ts";
import { plannedRow, storedText } from "./rows.ts";

/** See JobStore.writePlan. */
export function writePlan(cluster: ClusterContext, proof: LeaseProof, plan: Plan): Promise<number> {
  return write(cluster, async (inside) => {
    await requireLease(inside, proof);
    const refused = await lockJobs(inside, plan);
    const isWanted = ({ job }: { readonly job: string }) => !refused.has(job);
    await dropPlanned(inside, plan.dropPlanned.filter(isWanted));
    const count = await writeRuns(inside, plan.runs.filter(isWanted), proof.epoch);
    await writeProgress(inside, plan.progress.filter(isWanted));
    return { commit: true, value: count };
  });
}

/**
 * Keeps the jobs of a plan from being paused and resumed before the end of the transaction; those
 * for which it is too late are returned.
 */
async function lockJobs(inside: ClusterContext, plan: Plan): Promise<ReadonlySet<string>> {
  const versions = new Map(plan.progress.map(({ job, version }) => [job, version]));
  const withRuns = new Set(plan.runs.map(({ job }) => job));
  const jobs = [...new Set([...versions.keys(), ...withRuns])].sort();
  const refused = new Set<string>();
  for (const batch of keyBatches(jobs)) {
    let rows = await selectLocked(inside, batch);
    if (rows.length < batch.length) {
      const found = new Set(rows.map(({ job }) => job));
      await insertProgress(inside, batch.filter((job) => !found.has(job)));
      rows = await selectLocked(inside, batch);
    }
    for (const { job, pausedAt, version } of rows) {
      const isPaused = pausedAt !== null && withRuns.has(job);
      if (isPaused || version !== (versions.get(job) ?? version)) refused.add(job);
    }
  }
  return refused;
}

async function selectLocked(
  { db, clusterId, awaitTaken }: ClusterContext,
  jobs: readonly string[],
) {
  return await db.selectFrom("job_progress").select(["job", "paused_at as pausedAt", "version"])
    .where("cluster_id", "=", clusterId).where("job", "in", jobs).orderBy("job")
    .modifyEnd(sql.raw(awaitTaken)).execute();
}

/** Adds runs whose times have no row yet; returns how many. */
async function writeRuns(
  inside: ClusterContext,
  runs: readonly NewRun[],
  plannerEpoch: number,
): Promise<number> {
  if (runs.length === 0) return 0;
  const now = await readTime(inside);
  const rows = runs.map((run) => rowOf(inside, run, { plannerEpoch, now }));
  for (const batch of rowBatches(rows)) {
    await inside.db.insertInto("job_run").values(batch)
      .modifyEnd(orUpdate(inside, ["cluster_id", "job", "planned_at", "attempt"])).execute();
  }
  let count = 0;
  // What the databases say of themselves about rows that were there differs.
  for (const ids of keyBatches(rows.map(({ id }) => id))) {
    const { written } = await inside.db.selectFrom("job_run")
      .select(({ fn }) => fn.countAll<number | string>().as("written"))
      .where("id", "in", ids).executeTakeFirstOrThrow();
    count += Number(written);
  }
  return count;
}

function rowOf(
  inside: ClusterContext,
  run: NewRun,
  { plannerEpoch, now }: { readonly plannerEpoch: number; readonly now: string },
) {
  const { job, plannedAt, dueAt, state, reason, terms } = run;
  const row = plannedRow(inside, {
    job,
    plannedAt,
    dueAt,
    attempt: 1,
    trigger: "schedule",
    plannerEpoch,
    requestedBy: null,
    terms,
  });
  if (state === "planned") return row;
  const ended = { wake_at: null, open_job: null, finished_at: now };
  return { ...row, ...ended, state, reason: storedText(reason ?? "The schedule left it out") };
}

async function writeProgress(
  inside: ClusterContext,
  progress: readonly JobProgress[],
): Promise<void> {
  const rows = progress.map((job) => ({
    cluster_id: inside.clusterId,
    job: job.job,
    schedule_hash: job.scheduleHash,
    planned_until: job.plannedUntil,
    planned_count: job.plannedCount,
    next_at: job.nextAt,
    // A plan that was made before this one, and comes late, is refused.
    version: (job.version ?? 0) + 1,
  }));
  const columns = ["schedule_hash", "planned_until", "planned_count", "next_at", "version"];
  for (const batch of rowBatches(rows)) {
    await inside.db.insertInto("job_progress").values(batch)
      .modifyEnd(orUpdate(inside, ["cluster_id", "job"], columns)).execute();
  }
}
