import { sql } from "kysely";
import type { ClusterContext } from "../../context.ts";
import { jobKind } from "../keys.ts";
import { parseSpec } from "../objects.ts";
import { insertProgress } from "./progress.ts";

/** Whether a job may begin runs, and for "no" the reason. */
export interface JobState {
  /** Undefined: it is there, whether or not its schedule is followed. */
  readonly goneReason: string | undefined;
  /** Undefined: what its schedule wants may run. */
  readonly stopReason: string | undefined;
}

/**
 * The states of jobs, which nobody changes before the end of the transaction. Those that somebody
 * is changing are left out.
 */
export async function lockJobStates(
  inside: ClusterContext,
  jobs: readonly string[],
): Promise<ReadonlyMap<string, JobState>> {
  if (jobs.length === 0) return new Map();
  const { db, clusterId, skipTaken } = inside;
  const locked = await db.selectFrom("job_progress").select("job")
    .where("cluster_id", "=", clusterId).where("job", "in", jobs).orderBy("job")
    .modifyEnd(sql.raw(skipTaken)).execute();
  // Only now, so that it is what the last change has left.
  const rows = await db.selectFrom("job_progress as p")
    .leftJoin(
      "object as o",
      (join) =>
        join.onRef("o.cluster_id", "=", "p.cluster_id").onRef("o.name", "=", "p.job")
          .on("o.kind", "=", jobKind),
    )
    .select(["p.job", "p.paused_at as pausedAt", "p.paused_by as pausedBy", "o.spec"])
    .where("p.cluster_id", "=", clusterId).where("p.job", "in", jobs).execute();
  const known = new Set(rows.map(({ job }) => job));
  // To be locked the next time.
  await insertProgress(inside, jobs.filter((job) => !known.has(job)));
  const isLocked = new Set(locked.map(({ job }) => job));
  return new Map(rows.filter(({ job }) => isLocked.has(job)).map((row) => [row.job, stateOf(row)]));
}

/** Whether the schedule of a job with this spec is followed. */
export function isActive(spec: string): boolean {
  return parseSpec(spec)["active"] !== false;
}

function stateOf({ spec, pausedAt, pausedBy }: {
  readonly spec: string | null;
  readonly pausedAt: string | null;
  readonly pausedBy: string | null;
}): JobState {
  if (spec === null) {
    const reason = "The job was deleted";
    return { goneReason: reason, stopReason: reason };
  }
  if (!isActive(spec)) return { goneReason: undefined, stopReason: "The job is not active" };
  const isPaused = pausedAt !== null;
  return {
    goneReason: undefined,
    stopReason: isPaused ? `The job is paused by ${pausedBy}` : undefined,
  };
}
