import { sql } from "kysely";
import { type ClusterContext, databaseTime, timeToCompare } from "../../context.ts";
import { type DueRun, isMissed, type JobFacts, type Occupant, overlapOf } from "./admission.ts";
import { lockJobStates } from "./job-states.ts";

/** What has to be known of the jobs of due runs; asks for nothing that does not matter. */
export async function loadFacts(
  inside: ClusterContext,
  runs: readonly DueRun[],
  { now, server }: { readonly now: string; readonly server: string },
): Promise<JobFacts> {
  const missedOnce = runs.filter((run) => run.terms.missed === "once" && isMissed(run, now));
  // Before all else: nothing may change of the jobs once it is decided about their runs.
  const states = await lockJobStates(inside, jobsOf(runs.filter(({ isAgain }) => isAgain)));
  const exclusive = runs.filter((run) => run.terms.overlap !== "allow");
  const { occupants, firstWakes } = await loadTurns(inside, jobsOf(exclusive));
  const held = exclusive.filter((run) => overlapOf(run, now) !== "skip");
  const patient = held.filter(({ job }) => occupants.has(job));
  return {
    now,
    server,
    occupants: await lockOccupants(inside, occupants, jobsOf(patient)),
    firstWakes,
    states,
    latestTimes: await loadLatestTimes(inside, missedOnce),
    // Not only where somebody runs: of runs that are due together, all but one have to wait.
    waiting: await loadWaiting(inside, jobsOf(held)),
  };
}

function jobsOf(runs: readonly DueRun[]): readonly string[] {
  return [...new Set(runs.map(({ job }) => job))];
}

/**
 * Who has each job, and when the first of its runs is due. One statement, so that both are of the
 * same moment: between two, the one could end and the next in turn be overlooked.
 */
async function loadTurns(inside: ClusterContext, jobs: readonly string[]) {
  const occupants = new Map<string, Occupant>();
  const firstWakes = new Map<string, string>();
  if (jobs.length === 0) return { occupants, firstWakes };
  const { db, clusterId } = inside;
  const nothing = sql<string | null>`null`;
  const rows = await db.selectFrom("job_run")
    .select(["open_job as job", "server", nothing.as("firstWake")])
    .select(({ ref }) => [
      ref("id").$castTo<string | null>().as("occupant"), // as in the other half
      ref("planned_at").$castTo<string | null>().as("plannedAt"),
    ])
    .where("cluster_id", "=", clusterId).where("exclusive_job", "in", jobs)
    .unionAll(
      db.selectFrom("job_run").select(["open_job as job", nothing.as("server")])
        .select(({ fn }) => fn.min("wake_at").as("firstWake"))
        .select([nothing.as("occupant"), nothing.as("plannedAt")])
        .where("cluster_id", "=", clusterId).where("open_job", "in", jobs)
        .where("wake_at", "<=", timeToCompare(databaseTime(inside))).groupBy("open_job"),
    ).execute();
  for (const { job, occupant: id, server, plannedAt, firstWake } of rows) {
    if (job === null) continue; // neither running nor due
    if (firstWake !== null) firstWakes.set(job, firstWake);
    else if (id !== null && server !== null && plannedAt !== null) {
      occupants.set(job, { id, server, plannedAt, isLocked: false });
    }
  }
  return { occupants, firstWakes };
}

/** Keeps those that others are to wait for from ending before they do wait, where it can. */
async function lockOccupants(
  { db, clusterId, skipTaken }: ClusterContext,
  occupants: ReadonlyMap<string, Occupant>,
  jobs: readonly string[],
): Promise<ReadonlyMap<string, Occupant>> {
  if (jobs.length === 0) return occupants;
  const ids = jobs.flatMap((job) => occupants.get(job)?.id ?? []);
  const rows = await db.selectFrom("job_run").select("id")
    .where("cluster_id", "=", clusterId).where("id", "in", ids).where("state", "=", "running")
    .modifyEnd(sql.raw(skipTaken)).execute();
  const locked = new Set(rows.map(({ id }) => id));
  return new Map(
    [...occupants].map(([job, run]) => [job, { ...run, isLocked: locked.has(run.id) }]),
  );
}

async function loadLatestTimes(inside: ClusterContext, runs: readonly DueRun[]) {
  if (runs.length === 0) return new Map<string, string>();
  const first = runs.reduce((least, { plannedAt }) => plannedAt < least ? plannedAt : least, "~");
  const rows = await inside.db.selectFrom("job_run")
    .select(({ fn }) => ["job", fn.max("planned_at").as("latest")])
    .where("cluster_id", "=", inside.clusterId).where("job", "in", jobsOf(runs))
    .where("planned_at", ">", first) // not all of a long history
    .where("run_trigger", "=", "schedule").where("state", "<>", "skipped")
    .where("due_at", "<=", timeToCompare(databaseTime(inside))).groupBy("job").execute();
  return mapOf(rows.map(({ job, latest }) => [job, latest]));
}

async function loadWaiting({ db, clusterId }: ClusterContext, jobs: readonly string[]) {
  if (jobs.length === 0) return new Map<string, never>();
  const rows = await db.selectFrom("job_run").select(["id", "job", "overlap"])
    .where("cluster_id", "=", clusterId).where("open_job", "in", jobs)
    .where("wake_at", "is", null).execute();
  return Map.groupBy(rows, ({ job }) => job);
}

function mapOf(
  entries: readonly (readonly [string | null, string | null])[],
): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [key, value] of entries) if (key !== null && value !== null) map.set(key, value);
  return map;
}
