import type { RunRow } from "../../odb/job-types.ts";
import { percentile } from "../load/ledger.ts";

/** A job of the rehearsal, which is due at every multiple of its interval. */
export interface TickingJob {
  readonly name: string;
  readonly everyMs: number;
}

/** What became of every planned time of all jobs: the scheduler's ledger joined with the servers'. */
export interface TickHistory {
  readonly ticks: number;
  /** Times that the interval asks for, between the first and the last one, and no row has. */
  readonly missing: readonly string[];
  /** Runs that were executed more than once, and times of which two attempts ended well. */
  readonly twice: readonly string[];
  /** Times whose last attempt did not end well, with its state and reason. */
  readonly lost: readonly string[];
  /** Not begun or not ended, though their time has come. */
  readonly unfinished: readonly string[];
  /** Said to have ended well, and never executed. */
  readonly phantom: readonly string[];
  /** Executed, and in no row. */
  readonly unexplained: readonly string[];
  /** Attempts that went away with their server and were made again, as `retryLost` asks. */
  readonly repeated: number;
  /** Of those: the ones whose first attempt had begun to execute, so that the time ran again. */
  readonly repeatedExecuted: number;
  /** By server: how many attempts ended well there. */
  readonly byServer: Readonly<Record<string, number>>;
  /** From its due time to its beginning, of attempts that the schedule planned. */
  readonly lateP99Ms: number;
  readonly lateMaxMs: number;
}

/**
 * Checks the runs of `jobs`, all their attempts, against what servers executed (run id -> how
 * often). Rows planned for a time after `until` (ISO 8601) are left out.
 */
export function checkTicks(
  jobs: readonly TickingJob[],
  runs: readonly RunRow[],
  { executions, until }: {
    readonly executions: ReadonlyMap<string, number>;
    readonly until: string;
  },
): TickHistory {
  const timesOf = ({ id }: RunRow) => executions.get(id) ?? 0;
  const known = new Set(runs.map(({ id }) => id));
  const due = runs.filter(({ dueAt, startedAt }) => dueAt <= until || startedAt !== null);
  const ticks = groupByTick(due);
  const ended = (attempts: readonly RunRow[]) => attempts.some(({ state }) => state === "ok");
  const isOpen = ({ state }: RunRow) => state === "planned" || state === "running";
  const tries = [...ticks];
  const late = due.filter(({ trigger, startedAt }) => trigger === "schedule" && startedAt !== null)
    .map(({ dueAt, startedAt }) => Date.parse(startedAt ?? dueAt) - Date.parse(dueAt))
    .sort((a, b) => a - b);
  const earlier = tries.flatMap(([, attempts]) => attempts.slice(0, -1));
  return {
    ticks: ticks.size,
    missing: jobs.flatMap((job) => missingTimes(job, due)),
    twice: [
      ...due.filter((run) => timesOf(run) > 1).map(nameOf),
      ...tries.filter(([, attempts]) => attempts.filter(({ state }) => state === "ok").length > 1)
        .map(([name]) => name),
    ],
    lost: tries.filter(([, attempts]) => !ended(attempts) && !attempts.some(isOpen))
      .map(([name, attempts]) => `${name}: ${describe(attempts.at(-1))}`),
    unfinished: tries.filter(([, attempts]) => attempts.some(isOpen)).map(([name]) => name),
    phantom: due.filter((run) => run.state === "ok" && timesOf(run) === 0).map(nameOf),
    unexplained: [...executions.keys()].filter((id) => !known.has(id)),
    repeated: earlier.length,
    repeatedExecuted: earlier.filter((run) => timesOf(run) > 0).length,
    byServer: countServers(due),
    lateP99Ms: percentile(late, 0.99),
    lateMaxMs: late.at(-1) ?? 0,
  };
}

function groupByTick(runs: readonly RunRow[]): ReadonlyMap<string, readonly RunRow[]> {
  const ticks = new Map<string, RunRow[]>();
  for (const run of runs.toSorted((a, b) => a.attempt - b.attempt)) {
    const name = nameOf(run);
    const attempts = ticks.get(name);
    if (attempts === undefined) ticks.set(name, [run]);
    else attempts.push(run);
  }
  return ticks;
}

function missingTimes({ name, everyMs }: TickingJob, runs: readonly RunRow[]): readonly string[] {
  const times = runs.filter(({ job }) => job === name).map(({ plannedAt }) =>
    Date.parse(plannedAt)
  );
  const found = new Set(times);
  const first = times.reduce((a, b) => Math.min(a, b), Infinity);
  const last = times.reduce((a, b) => Math.max(a, b), -Infinity);
  const missing: string[] = [];
  for (let time = first; time <= last; time += everyMs) {
    if (!found.has(time)) missing.push(`${name} at ${new Date(time).toISOString()}`);
  }
  return missing;
}

function countServers(runs: readonly RunRow[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state, server } of runs) {
    if (state === "ok" && server !== null) counts[server] = (counts[server] ?? 0) + 1;
  }
  return counts;
}

function nameOf({ job, plannedAt }: RunRow): string {
  return `${job} at ${plannedAt}`;
}

function describe(run: RunRow | undefined): string {
  return run === undefined ? "no attempt" : `${run.state}${run.reason ? ` (${run.reason})` : ""}`;
}
