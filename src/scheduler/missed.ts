import type { JobSpec } from "./kinds/job.ts";
import type { Schedule } from "./schedule/schedule.ts";
import { firstTimes, lastTimes, type TimeSpan } from "./schedule/times.ts";

interface MissedRun {
  readonly timeMs: number;
  /** Why it does not run any more; undefined when it does. */
  readonly skipped: string | undefined;
}

interface MissedRuns {
  readonly runs: readonly MissedRun[];
  /** How many times were missed, those without a run of their own as well. */
  readonly count: number;
  /** False: there were more than were counted, and `repeats` is none the wiser. */
  readonly isAll: boolean;
}

/** More missed times than these are not counted one by one. */
const countedMax = 10_000;

/**
 * What becomes of times that nobody planned when they came: the last `missedMax` get runs, as the
 * policy says; one more stands for all that were before them.
 */
export function missedRuns(
  spec: JobSpec,
  { schedule, span, countMax }: {
    readonly schedule: Schedule;
    readonly span: TimeSpan;
    readonly countMax: number;
  },
): MissedRuns {
  const first = firstTimes(schedule, span, Math.min(countMax, countedMax + 1));
  const isAll = first.length <= countedMax || first.length === countMax;
  const last = isAll
    ? first.slice(-spec.missedMax - 1)
    : lastTimes(schedule, span, spec.missedMax + 1);
  const rest = last.length > spec.missedMax ? last.shift() : undefined;
  const restCount = first.length - last.length;
  const runs = last.map((timeMs, index) => ({
    timeMs,
    skipped: skipReason(spec, { timeMs, schedule, isLast: index === last.length - 1 }),
  }));
  if (rest === undefined) return { runs, count: first.length, isAll };
  const before = restCount - 1;
  const many = before === 0 ? "" : `, and so were ${isAll ? "" : "more than "}${before} before it`;
  const skipped = `Missed${many}: of those that nobody planned when they came, only the last ` +
    `${spec.missedMax} are looked at one by one`;
  return { runs: [{ timeMs: rest, skipped }, ...runs], count: first.length, isAll };
}

function skipReason(
  { at, missed }: JobSpec,
  { timeMs, schedule, isLast }: {
    readonly timeMs: number;
    readonly schedule: Schedule;
    readonly isLast: boolean;
  },
): string | undefined {
  const exclusion = at === undefined ? undefined : schedule.exclusionAt(timeMs);
  if (exclusion) return `Calendar "${exclusion.calendar}" excludes its time`;
  if (missed === "all" || (missed === "once" && isLast)) return undefined;
  return missed === "once"
    ? "Missed: a later time that was missed as well stands for it"
    : "Missed: nobody planned it when it came";
}
