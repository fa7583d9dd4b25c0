import type { JobRow } from "../../odb/job-types.ts";
import type { JobSpec } from "../kinds/job.ts";
import { compileJob } from "./compiled-job.ts";
import { parseFingerprint } from "./fingerprint.ts";
import type { Calendars } from "./schedule.ts";

export interface NextTimesOptions {
  /** Exclusive. */
  readonly after: Date;
  readonly count: number;
  /**
   * What the ledger knows of the job, so that `repeats` counts. Without it, or when it is about
   * another schedule, the job is taken as one that begins after `after`.
   */
  readonly row?: Pick<JobRow, "scheduleHash" | "plannedUntil" | "plannedCount"> | undefined;
}

/**
 * The next times of a job's schedule, in order, without jitter; whether it is active or paused is
 * left out. Fewer than asked for when it ends before. Pure, and bounded work whatever the schedule.
 */
export function nextTimes(
  spec: JobSpec,
  calendars: Calendars,
  { after, count, row }: NextTimesOptions,
): readonly Date[] {
  const { schedule, fingerprint } = compileJob(spec, calendars);
  const isKnown = row && parseFingerprint(row.scheduleHash).times === fingerprint.times;
  const known = isKnown ? row : undefined;
  const plannedUntilMs = known === undefined ? -Infinity : Date.parse(known.plannedUntil);
  let repeatsLeft = (spec.repeats ?? Infinity) - (known?.plannedCount ?? 0);
  const times: Date[] = [];
  let time = schedule.next(after.getTime());
  while (time !== null && times.length < count) {
    // Those up to `plannedUntil` are counted already.
    if (time > plannedUntilMs && repeatsLeft-- <= 0) break;
    if (spec.at === undefined || schedule.exclusionAt(time) === undefined) {
      times.push(new Date(time));
    }
    time = schedule.next(time);
  }
  return times;
}
