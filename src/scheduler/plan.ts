import type { DroppedRuns, JobProgress, JobRow, Plan } from "../odb/job-types.ts";
import { alarmOf } from "./alarms.ts";
import {
  beginJobPlan,
  countAhead,
  isDue,
  type Job,
  type JobPlan,
  missedUntilMs,
  planMissed,
  planTimes,
  progressOf,
} from "./job-plan.ts";
import { compileJob } from "./schedule/compiled-job.ts";
import { inactive, parseFingerprint, renderFingerprint } from "./schedule/fingerprint.ts";
import type { Calendars } from "./schedule/schedule.ts";

export interface PlanInput {
  /** All of the cluster's jobs, active or not. */
  readonly jobs: readonly Job[];
  readonly calendars: Calendars;
  /** Jobs and calendars that are there but cannot be read: what is planned of them stays. */
  readonly unreadable?: readonly { readonly name: string }[];
  /** What is known of them, by job. */
  readonly rows: ReadonlyMap<string, JobRow>;
  /** The database's time. */
  readonly now: Date;
  /** Times up to this long ahead get their rows now. */
  readonly horizonMs: number;
}

export interface PlanOutput extends Plan {
  /** False: there was more to plan than one transaction takes; plan again at once. */
  readonly isComplete: boolean;
  /**
   * Jobs to make inactive, once none of their runs waits or runs: they have no time left, the last
   * one has come, and they say `deactivateWhenDone`. Said again until it is done.
   */
  readonly done: readonly string[];
  /**
   * Active jobs that have no next time though their schedule does not say that it ended, and those
   * that cannot be planned.
   */
  readonly alarms: readonly Alarm[];
}

export interface Alarm {
  readonly job: string;
  /** One sentence, without a full stop. */
  readonly reason: string;
}

/** Times that one plan looks at in all, and of one job: a transaction must stay short. */
const timesMax = 12_000;
const timesOfJobMax = 1_000;

/** Times so near are planned for all jobs before later ones are for any. */
const nearMs = 2_000;

/**
 * What the ledger needs now. Pure: the same input gives the same plan, and with that plan written
 * down there is nothing more to plan.
 */
export function plan(input: PlanInput): PlanOutput {
  const nowMs = input.now.getTime();
  const active: JobPlan[] = [];
  const stopped: StoppedJob[] = [];
  const alarms: Alarm[] = [];
  const known = new Set(input.unreadable?.map(({ name }) => name));
  for (const job of input.jobs) {
    known.add(job.name);
    const row = input.rows.get(job.name);
    const missing = job.spec.calendars.find((name) => !input.calendars.has(name));
    if (!job.spec.active || row?.paused === true) {
      const stop = row && stopJob(job, row, { calendars: input.calendars, nowMs });
      if (stop) stopped.push(stop);
    } else if (missing !== undefined) {
      const reason = `Nothing is planned: its calendar "${missing}" cannot be read`;
      alarms.push({ job: job.name, reason });
    } else active.push(beginJobPlan(job, row, { calendars: input.calendars, nowMs }));
  }
  for (const row of input.rows.values()) {
    const stop = known.has(row.job) ? undefined : forgetJob(row, nowMs);
    if (stop) stopped.push(stop);
  }
  const isComplete = planActive(active, { nowMs, horizonMs: input.horizonMs });
  for (const jobPlan of active) {
    const reason = alarmOf(jobPlan, nowMs);
    if (reason !== undefined) alarms.push({ job: jobPlan.name, reason });
  }
  const changed = active.filter(({ isChanged }) => isChanged);
  return {
    runs: changed.flatMap(({ runs }) => runs),
    progress: [...stopped.map(({ progress }) => progress), ...changed.map(progressOf)],
    dropPlanned: [
      ...stopped.map(({ drop }) => drop),
      ...changed.flatMap(({ drop }) => drop ?? []),
    ],
    isComplete,
    done: active.filter((jobPlan) => isDone(jobPlan, nowMs)).map(({ name }) => name),
    alarms,
  };
}

/** Plans as much as one plan may; false when there is more. */
function planActive(
  active: readonly JobPlan[],
  { nowMs, horizonMs }: { readonly nowMs: number; readonly horizonMs: number },
): boolean {
  let timesLeft = timesMax;
  const behind = active.filter((jobPlan) => isDue(jobPlan, missedUntilMs(jobPlan.spec, nowMs)));
  const isBehind = new Set(behind);
  const current = active.filter((jobPlan) => !isBehind.has(jobPlan));
  const planUntil = (jobPlans: readonly JobPlan[], untilMs: number) => {
    for (const jobPlan of jobPlans) {
      if (timesLeft <= 0) return;
      if (!isDue(jobPlan, untilMs)) continue;
      timesLeft -= planTimes(jobPlan, untilMs, Math.min(timesOfJobMax, timesLeft));
    }
  };
  planUntil(current, nowMs + Math.min(nearMs, horizonMs));
  for (const jobPlan of behind) {
    if (timesLeft > 0) timesLeft -= planMissed(jobPlan, nowMs);
  }
  // Those that are still behind come first the next time, before any of their later times.
  const caughtUp = active.filter((jobPlan) => !isDue(jobPlan, missedUntilMs(jobPlan.spec, nowMs)));
  planUntil(caughtUp, nowMs + horizonMs);
  return active.every((jobPlan) => !isDue(jobPlan, nowMs + horizonMs));
}

function isDone({ spec, nextMs, plannedUntilMs }: JobPlan, nowMs: number): boolean {
  return spec.deactivateWhenDone && nextMs === null && plannedUntilMs <= nowMs;
}

interface StoppedJob {
  readonly drop: DroppedRuns;
  readonly progress: JobProgress;
}

/** A job that has become inactive, or was paused while it was planned. */
function stopJob(
  { spec }: Job,
  row: JobRow,
  { calendars, nowMs }: { readonly calendars: Calendars; readonly nowMs: number },
): StoppedJob | undefined {
  const { times, rest } = parseFingerprint(row.scheduleHash);
  const isAhead = Date.parse(row.plannedUntil) > nowMs;
  const isKnown = spec.active || (rest === inactive && row.nextAt === null);
  if (!isAhead && isKnown) return undefined;
  const { schedule, fingerprint } = compileJob(spec, calendars);
  const ahead = times === fingerprint.times ? countAhead(schedule, { row, nowMs }) : 0;
  return stopped(row, {
    nowMs,
    scheduleHash: spec.active ? row.scheduleHash : renderFingerprint({ times, rest: inactive }),
    plannedCount: row.plannedCount - ahead,
  });
}

/** A job that is gone; should it come back, it begins anew. */
function forgetJob(row: JobRow, nowMs: number): StoppedJob | undefined {
  if (row.scheduleHash === gone && row.nextAt === null) return undefined;
  return stopped(row, { nowMs, scheduleHash: gone, plannedCount: 0 });
}

const gone = renderFingerprint({ times: "gone", rest: inactive });

function stopped(
  row: JobRow,
  { nowMs, scheduleHash, plannedCount }: {
    readonly nowMs: number;
    readonly scheduleHash: string;
    readonly plannedCount: number;
  },
): StoppedJob {
  const plannedUntil = new Date(Math.min(Date.parse(row.plannedUntil), nowMs)).toISOString();
  const isPaused = parseFingerprint(scheduleHash).rest !== inactive;
  return {
    drop: { job: row.job, after: null },
    progress: {
      job: row.job,
      scheduleHash,
      version: row.version,
      plannedUntil,
      plannedCount,
      // What comes back has no times before then; the change that brings it back says when.
      nextAt: isPaused ? plannedUntil : null,
    },
  };
}
