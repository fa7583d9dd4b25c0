import { canonicalJson, sha256Hex } from "../../lib/canonical-json.ts";
import type { CalendarSpec } from "../kinds/calendar.ts";
import type { JobSpec } from "../kinds/job.ts";
import type { Calendars } from "./schedule.ts";

/**
 * What the ledger keeps of a job's definition, as `JobProgress.scheduleHash`, so that the planner
 * sees what has changed.
 */
export interface Fingerprint {
  /** Of what makes the times; a job with another one begins anew, its repeats as well. */
  readonly times: string;
  /** Of all else that its runs depend on; with another one, what is not due is planned again. */
  readonly rest: string;
}

/**
 * Of an active job. What goes into `times` must stay as it is from version to version: a one-time
 * job with another one is taken as new, and would run again.
 */
export function fingerprintOf(spec: JobSpec, calendars: Calendars): Fingerprint {
  const { at, every, cron, timeZone, start, ...others } = spec;
  const { active: _, description: _text, deactivateWhenDone: _done, ...rest } = others;
  const used = spec.calendars.map((name) => calendars.get(name));
  return {
    times: digest(at !== undefined ? { at } : { every, cron, timeZone, start }),
    rest: digest({ ...rest, calendars: used.map((calendar) => calendar && withoutText(calendar)) }),
  };
}

/** As the ledger keeps it; at most 40 characters. */
export function renderFingerprint({ times, rest }: Fingerprint): string {
  return `${times}.${rest}`;
}

/** What `renderFingerprint` wrote. */
export function parseFingerprint(text: string): Fingerprint {
  const [times = "", rest = ""] = text.split(".");
  return { times, rest };
}

/** Stands for `rest` in the ledger while nothing is planned, because the job is not active. */
export const inactive = "inactive";

function digest(value: unknown): string {
  return sha256Hex(canonicalJson(value)).slice(0, 16);
}

function withoutText({ description: _, ...calendar }: CalendarSpec): unknown {
  return calendar;
}
