import type { DroppedRuns, JobProgress, JobRow, NewRun } from "../odb/job-types.ts";
import type { JobSpec } from "./kinds/job.ts";
import { jitterOf } from "./jitter.ts";
import { missedRuns } from "./missed.ts";
import { compileJob } from "./schedule/compiled-job.ts";
import { inactive, parseFingerprint } from "./schedule/fingerprint.ts";
import type { Calendars, Schedule } from "./schedule/schedule.ts";
import { firstTimes } from "./schedule/times.ts";
import { runTerms } from "./run-terms.ts";

/** A job while it is planned. */
export interface JobPlan {
  readonly name: string;
  readonly spec: JobSpec;
  readonly schedule: Schedule;
  readonly scheduleHash: string;
  /** As `JobProgress.version`. */
  readonly version: number;
  readonly runs: NewRun[];
  drop: DroppedRuns | undefined;
  /** Up to here all times have runs, or are counted as missed. */
  plannedUntilMs: number;
  plannedCount: number;
  /** As `JobProgress.nextAt`. */
  nextMs: number | null;
  /** Whether there is something to write down. */
  isChanged: boolean;
}

export interface Job {
  readonly name: string;
  readonly spec: JobSpec;
}

interface Situation {
  readonly calendars: Calendars;
  readonly nowMs: number;
}

/** Where planning of an active job goes on; nothing is planned yet. */
export function beginJobPlan(
  job: Job,
  row: JobRow | undefined,
  { calendars, nowMs }: Situation,
): JobPlan {
  const { schedule, fingerprint, scheduleHash } = compileJob(job.spec, calendars);
  const jobPlan: JobPlan = {
    name: job.name,
    spec: job.spec,
    schedule,
    scheduleHash,
    version: row?.version ?? 0,
    runs: [],
    drop: undefined,
    plannedUntilMs: nowMs,
    plannedCount: 0,
    nextMs: null,
    isChanged: true,
  };
  if (row === undefined) return atNextTime(jobPlan);
  if (row.scheduleHash === scheduleHash) {
    jobPlan.plannedCount = row.plannedCount;
    jobPlan.plannedUntilMs = Date.parse(row.plannedUntil);
    jobPlan.nextMs = row.nextAt === null ? null : Date.parse(row.nextAt);
    jobPlan.isChanged = false;
    return jobPlan;
  }
  const before = parseFingerprint(row.scheduleHash);
  if (before.rest !== inactive) {
    jobPlan.drop = { job: job.name, after: new Date(nowMs).toISOString() };
  }
  jobPlan.plannedUntilMs = unplannedSince(row, nowMs);
  if (before.times === fingerprint.times) {
    jobPlan.plannedCount = row.plannedCount - countAhead(schedule, { row, nowMs });
  }
  return atNextTime(jobPlan);
}

/**
 * Since when a job that has changed may have times without runs. A change turns the row back to its
 * own moment; rows that nobody turned back and that have no time yet to come by now were planned
 * in full, as the job was. Times since a schedule ended are not missed, whatever it says now.
 */
function unplannedSince({ plannedUntil, nextAt }: JobRow, nowMs: number): number {
  const isBehind = nextAt !== null && Date.parse(nextAt) <= nowMs;
  return isBehind ? Math.min(Date.parse(plannedUntil), nowMs) : nowMs;
}

/** Whether times up to this one may want runs. */
export function isDue({ nextMs }: JobPlan, untilMs: number): boolean {
  return nextMs !== null && nextMs <= untilMs;
}

/** Times up to this one were missed when it is planned so late. */
export function missedUntilMs({ graceMs, jitterMs }: JobSpec, nowMs: number): number {
  return nowMs - graceMs - jitterMs - 1;
}

/** Plans what was missed; returns how many times it looked at. */
export function planMissed(jobPlan: JobPlan, nowMs: number): number {
  const untilMs = missedUntilMs(jobPlan.spec, nowMs);
  const { runs, count, isAll } = missedRuns(jobPlan.spec, {
    schedule: jobPlan.schedule,
    span: { fromMs: beginning(jobPlan), untilMs },
    countMax: repeatsLeft(jobPlan),
  });
  for (const { timeMs, skipped } of runs) addRun(jobPlan, timeMs, skipped);
  jobPlan.plannedCount += count;
  jobPlan.plannedUntilMs = Math.max(jobPlan.plannedUntilMs, untilMs);
  atNextTime(jobPlan);
  return isAll ? count : count * 2;
}

/** Plans times up to this one, at most so many; returns how many there were. */
export function planTimes(jobPlan: JobPlan, untilMs: number, countMax: number): number {
  const limit = Math.min(countMax, repeatsLeft(jobPlan));
  const times = firstTimes(jobPlan.schedule, { fromMs: beginning(jobPlan), untilMs }, limit);
  for (const time of times) addRun(jobPlan, time, exclusionReason(jobPlan, time));
  jobPlan.plannedCount += times.length;
  jobPlan.plannedUntilMs = times.length < limit
    ? Math.max(jobPlan.plannedUntilMs, untilMs)
    : Math.max(jobPlan.plannedUntilMs, times.at(-1) ?? -Infinity);
  atNextTime(jobPlan);
  return times.length;
}

/** What is written down about it. */
export function progressOf(jobPlan: JobPlan): JobProgress {
  const { name, scheduleHash, version, plannedUntilMs, plannedCount, nextMs } = jobPlan;
  return {
    job: name,
    scheduleHash,
    version,
    plannedUntil: new Date(plannedUntilMs).toISOString(),
    plannedCount,
    nextAt: nextMs === null ? null : new Date(nextMs).toISOString(),
  };
}

/** How many runs of the schedule were planned for later than now. */
export function countAhead(
  schedule: Schedule,
  { row, nowMs }: { readonly row: JobRow; readonly nowMs: number },
): number {
  const span = { fromMs: nowMs, untilMs: Date.parse(row.plannedUntil) };
  return firstTimes(schedule, span, row.plannedCount).length;
}

/** How many more times `repeats` allows. */
export function repeatsLeft({ spec, plannedCount }: JobPlan): number {
  return Math.max(0, (spec.repeats ?? Infinity) - plannedCount);
}

/** A one-time job that has had no run yet keeps its time, even when that is long ago. */
function beginning({ spec, plannedCount, plannedUntilMs }: JobPlan): number {
  return spec.at !== undefined && plannedCount === 0 ? -Infinity : plannedUntilMs;
}

function atNextTime(jobPlan: JobPlan): JobPlan {
  jobPlan.isChanged = true;
  jobPlan.nextMs = repeatsLeft(jobPlan) > 0 ? jobPlan.schedule.next(beginning(jobPlan)) : null;
  return jobPlan;
}

function exclusionReason({ spec, schedule }: JobPlan, timeMs: number): string | undefined {
  const exclusion = spec.at === undefined ? undefined : schedule.exclusionAt(timeMs);
  return exclusion && `Calendar "${exclusion.calendar}" excludes its time`;
}

function addRun({ name, spec, runs }: JobPlan, timeMs: number, skipped: string | undefined): void {
  const plannedAt = new Date(timeMs).toISOString();
  const delay = jitterOf(name, timeMs, spec.jitterMs);
  runs.push({
    job: name,
    plannedAt,
    dueAt: delay === 0 ? plannedAt : new Date(timeMs + delay).toISOString(),
    state: skipped === undefined ? "planned" : "skipped",
    ...(skipped === undefined ? {} : { reason: skipped }),
    terms: runTerms(spec),
  });
}
