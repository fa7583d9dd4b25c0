import type { CalendarSpec } from "../kinds/calendar.ts";
import type { JobSpec } from "../kinds/job.ts";
import { createCronTimes } from "./cron.ts";
import { parseDuration } from "./duration.ts";
import { exclusionsOf } from "./exclusions.ts";
import { zoneOf } from "./zone.ts";

/** The times of a job, in milliseconds since 1970. */
export interface Schedule {
  /**
   * The first time later than this that no calendar excludes; null when there is none. The time of
   * a one-time job counts even when it is excluded, so that the ledger can say that it was.
   */
  next(afterMs: number): number | null;
  /** The same, whatever calendars say. */
  nextOfAll(afterMs: number): number | null;
  /** Which calendar excludes a time, and until when. */
  exclusionAt(ms: number): Exclusion | undefined;
}

export interface Exclusion {
  readonly calendar: string;
  readonly untilMs: number;
}

/** All calendars by name. */
export type Calendars = ReadonlyMap<string, CalendarSpec>;

/** A job whose times were excluded so often in a row has none: searching must end. */
const exclusionsMax = 1_000;

/** Later than any date that people write. */
const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * The schedule of a job; spec and calendars have been validated. Intervals are counted from
 * `start`, or else from 1970-01-01T00:00:00Z, so that whoever plans comes to the same times.
 */
export function scheduleOf(spec: JobSpec, calendars: Calendars): Schedule {
  const nextOfAll = withinTerm(spec, rawNext(spec));
  const exclusions = spec.calendars.flatMap((calendar) => {
    const found = calendars.get(calendar);
    return found ? [{ calendar, ...exclusionsOf(found) }] : [];
  });
  const exclusionAt = (ms: number) => {
    for (const { calendar, excludedUntil } of exclusions) {
      const untilMs = excludedUntil(ms);
      if (untilMs !== undefined) return { calendar, untilMs };
    }
    return undefined;
  };
  const isFree = exclusions.length === 0 || spec.at !== undefined;
  return {
    nextOfAll,
    exclusionAt,
    next: isFree ? nextOfAll : (afterMs) => nextAllowed(nextOfAll, exclusionAt, afterMs),
  };
}

function nextAllowed(
  nextOfAll: Schedule["nextOfAll"],
  exclusionAt: Schedule["exclusionAt"],
  afterMs: number,
): number | null {
  let time = nextOfAll(afterMs);
  for (let count = 0; count < exclusionsMax && time !== null; count++) {
    const exclusion = exclusionAt(time);
    if (exclusion === undefined) return time;
    time = nextOfAll(exclusion.untilMs - 1);
  }
  return null;
}

function rawNext(spec: JobSpec): (afterMs: number) => number | null {
  if (spec.at !== undefined) {
    const at = Date.parse(spec.at);
    return (afterMs) => afterMs < at ? at : null;
  }
  if (spec.cron !== undefined) {
    const times = createCronTimes(spec.cron, zoneOf(spec.timeZone));
    return (afterMs) => times.nextAfter(afterMs);
  }
  // A validated spec has one of the three; an interval that cannot be read never comes.
  const every = parseDuration(spec.every ?? "") ?? Infinity;
  const anchor = startOf(spec) ?? 0;
  return (afterMs) => anchor + (Math.floor((afterMs - anchor) / every) + 1) * every;
}

function withinTerm(
  spec: JobSpec,
  next: (afterMs: number) => number | null,
): (afterMs: number) => number | null {
  const before = (startOf(spec) ?? -Infinity) - 1;
  const end = Math.min(spec.end === undefined ? Infinity : Date.parse(spec.end), lastMs);
  return (afterMs) => {
    const time = afterMs > lastMs ? null : next(Math.max(afterMs, before));
    return time === null || !(time <= end) ? null : time;
  };
}

function startOf(spec: JobSpec): number | undefined {
  return spec.start === undefined ? undefined : Date.parse(spec.start);
}
