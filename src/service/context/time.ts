import { PlatformError } from "../../errors/platform-error.ts";
import type { Clock } from "../clock.ts";

/**
 * Times as services need them. Zones are those of the IANA, such as `Europe/Warsaw`; default `UTC`.
 * An unknown one throws TIME_INVALID.
 */
export interface Time {
  /** The wall clock. */
  now(): Date;
  /** Milliseconds of a clock that never goes back, to measure with. */
  monotonic(): number;
  /** The date in a zone, as `2026-01-31`. */
  today(zone?: string): string;
  /** ISO 8601 with the zone's offset, such as `2026-01-31T13:00:00.000+01:00`. */
  iso(time: Date, zone?: string): string;
  /** For people, as `Intl.DateTimeFormat` writes it. Default locale `en`. */
  format(time: Date, options?: TimeFormat): string;
  /** Reads ISO 8601; a time without an offset is UTC. Throws TIME_INVALID. */
  parse(text: string): Date;
  /** Resolves after `ms`; rejects when the call's time is over or its client has gone. */
  sleep(ms: number): Promise<void>;
}

export interface TimeFormat extends Intl.DateTimeFormatOptions {
  readonly zone?: string;
  readonly locale?: string;
}

/** `ctx.time` of one call. */
export function createTime(clock: Clock, signal: () => AbortSignal): Time {
  return {
    now: () => new Date(clock.now()),
    monotonic: () => clock.monotonic(),
    today: (zone) => isoIn(new Date(clock.now()), zone).slice(0, 10),
    iso: isoIn,
    format: (time, { zone = "UTC", locale = "en", ...options } = {}) =>
      formatter(locale, zone, options).format(time),
    parse: parseIso,
    sleep: (ms) => clock.delay(ms, signal()),
  };
}

const isoPattern =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|z|[+-]\d{2}:?\d{2})?)?$/;

function parseIso(text: string): Date {
  const [, date, clock = "00:00", offset = "Z"] = isoPattern.exec(text) ?? [];
  const zone = offset.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2").toUpperCase();
  const time = new Date(`${date}T${clock}${zone}`);
  // "2026-02-30" would roll over into March.
  const isReal = date !== undefined && !Number.isNaN(time.getTime()) &&
    new Date(`${date}T00:00Z`).toISOString().startsWith(date);
  if (!isReal) throw new PlatformError("TIME_INVALID", { text, what: "a time in ISO 8601" });
  return time;
}

function isoIn(time: Date, zone = "UTC"): string {
  if (zone === "UTC") return time.toISOString();
  const { timeZoneName = "" } = partsIn(time, zone);
  const [, sign = "+", hours = "00", minutes = "00"] =
    /GMT([+-])(\d{2}):(\d{2})/.exec(timeZoneName) ?? [];
  const offsetMs = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const local = new Date(time.getTime() + offsetMs).toISOString().slice(0, -1);
  return `${local}${sign}${hours}:${minutes}`;
}

function partsIn(time: Date, zone: string): Partial<Record<string, string>> {
  const parts = formatter("en", zone, { timeZoneName: "longOffset" }).formatToParts(time);
  return Object.fromEntries(parts.map(({ type, value }) => [type, value]));
}

function formatter(
  locale: string,
  timeZone: string,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(locale, { ...options, timeZone });
  } catch (error) {
    const what = `a time zone, or "${locale}" not a locale`;
    throw new PlatformError("TIME_INVALID", { text: timeZone, what }, { cause: error });
  }
}
