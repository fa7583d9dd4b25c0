import type { CalendarSpec } from "../kinds/calendar.ts";
import type { JobSpec } from "../kinds/job.ts";
import { type Fingerprint, fingerprintOf, renderFingerprint } from "./fingerprint.ts";
import { type Calendars, type Schedule, scheduleOf } from "./schedule.ts";

/** What is made once of a job's spec, because making it costs more than planning. */
export interface CompiledJob {
  readonly schedule: Schedule;
  readonly fingerprint: Fingerprint;
  /** The fingerprint as the ledger keeps it. */
  readonly scheduleHash: string;
}

interface Known extends CompiledJob {
  readonly calendars: readonly (CalendarSpec | undefined)[];
}

const known = new WeakMap<JobSpec, Known>();

/** Of the same spec and the same calendars, by identity, it is made once. */
export function compileJob(spec: JobSpec, calendars: Calendars): CompiledJob {
  const before = known.get(spec);
  const isSame = before?.calendars.every((calendar, index) =>
    calendar === calendars.get(spec.calendars[index]!) // as many as there are names
  );
  if (before && isSame) return before;
  const fingerprint = fingerprintOf(spec, calendars);
  const compiled = {
    schedule: scheduleOf(spec, calendars),
    fingerprint,
    scheduleHash: renderFingerprint(fingerprint),
    calendars: spec.calendars.map((name) => calendars.get(name)),
  };
  known.set(spec, compiled);
  return compiled;
}
