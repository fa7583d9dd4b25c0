import type { CalendarSpec } from "../kinds/calendar.ts";
import { dayMs, type DayRange, parseDays, parseTimes, weekdays } from "./calendar-days.ts";
import { instantOf, zoneOf } from "./zone.ts";

/** What a calendar excludes. */
export interface Exclusions {
  /** Until when it excludes this time and all that follow; undefined when it does not. */
  excludedUntil(ms: number): number | undefined;
}

const compiled = new WeakMap<CalendarSpec, Exclusions>();

/** More days in a row are excluded in several steps. */
const daysMax = 800;

/** The exclusions of a calendar; its spec has been validated. */
export function exclusionsOf(spec: CalendarSpec): Exclusions {
  const known = compiled.get(spec);
  if (known) return known;
  const exclusions = compile(spec);
  compiled.set(spec, exclusions);
  return exclusions;
}

function compile(spec: CalendarSpec): Exclusions {
  const zone = zoneOf(spec.timeZone);
  const skipDays = compileDays(spec);
  const ranges = compileTimes(spec);
  return {
    excludedUntil(ms) {
      const wallMs = ms + zone.spanAt(ms).offsetMs;
      const day = Math.floor(wallMs / dayMs);
      const nextDay = skipDays(day);
      if (nextDay !== day) return instantOf(zone, nextDay * dayMs, ms);
      const timeOfDay = wallMs - day * dayMs;
      const range = ranges.find(({ from, to }) => from <= timeOfDay && timeOfDay < to);
      return range && instantOf(zone, day * dayMs + range.to, ms);
    },
  };
}

/** The first day, from a day on, that is not excluded. */
function compileDays(spec: CalendarSpec): (day: number) => number {
  const parsed = spec.dates.flatMap((text) => parseDays(text) ?? []);
  const ranges = merge(parsed.flatMap((days) => days.type === "days" ? [days.range] : []));
  const yearly = parsed.flatMap((days) => days.type === "yearly" ? [days.range] : []);
  const excludedWeekdays = new Set(spec.weekdays.map((name) => weekdays.indexOf(name)));

  const isYearly = (day: number) => {
    if (yearly.length === 0) return false;
    const date = new Date(day * dayMs);
    const key = (date.getUTCMonth() + 1) * 100 + date.getUTCDate();
    return yearly.some(({ first, last }) =>
      first <= last ? first <= key && key <= last : first <= key || key <= last
    );
  };
  // 1970-01-01 was a Thursday.
  const isWeekday = (day: number) => excludedWeekdays.has((((day + 3) % 7) + 7) % 7);

  return (start) => {
    let day = start;
    while (day < start + daysMax) {
      const range = rangeAt(ranges, day);
      if (range) day = range.last + 1;
      else if (isWeekday(day) || isYearly(day)) day++;
      else break;
    }
    return day;
  };
}

function rangeAt(ranges: readonly DayRange[], day: number): DayRange | undefined {
  let [low, high] = [0, ranges.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle]!; // between 0 and length - 1
    if (day < range.first) high = middle - 1;
    else if (day > range.last) low = middle + 1;
    else return range;
  }
  return undefined;
}

function compileTimes(spec: CalendarSpec): readonly { from: number; to: number }[] {
  const ranges = spec.times.flatMap((text) => {
    const range = parseTimes(text);
    if (range === undefined) return [];
    if (range.from < range.to) return [range];
    return [{ from: range.from, to: dayMs }, { from: 0, to: range.to }];
  });
  // Those that touch are one, so that the end of one is not the middle of another.
  return merge(ranges.map(({ from, to }) => ({ first: from, last: to - 1 })))
    .map(({ first, last }) => ({ from: first, to: last + 1 }));
}

/** In order, and those that overlap or follow on one another as one. */
function merge(ranges: readonly DayRange[]): readonly DayRange[] {
  const merged: DayRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1) merged.push(range);
    else merged[merged.length - 1] = { ...before, last: Math.max(before.last, range.last) };
  }
  return merged;
}
