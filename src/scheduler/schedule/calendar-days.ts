export const weekdays = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;
export type Weekday = (typeof weekdays)[number];

/** Days since 1970-01-01, both ends inclusive. */
export interface DayRange {
  readonly first: number;
  readonly last: number;
}

/** Days of every year as month * 100 + day, both ends inclusive; may reach over New Year. */
export interface YearlyRange {
  readonly first: number;
  readonly last: number;
}

export type ParsedDays =
  | { readonly type: "days"; readonly range: DayRange }
  | { readonly type: "yearly"; readonly range: YearlyRange };

/** Milliseconds since midnight; `to` is exclusive, and below `from` when it is over midnight. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds of a day. */
export const dayMs = 86_400_000;

/** `2026-12-24`, `2026-12-24/2026-12-31`, `12-24` or `12-24/01-06`; undefined when it is none. */
export function parseDays(text: string): ParsedDays | undefined {
  const [from = "", to = from, ...more] = text.split("/");
  if (more.length > 0) return undefined;
  const days = [dayOf(from), dayOf(to)] as const;
  if (days[0] !== undefined && days[1] !== undefined) {
    const range = { first: days[0], last: days[1] };
    return range.first <= range.last ? { type: "days", range } : undefined;
  }
  const yearly = [yearlyDayOf(from), yearlyDayOf(to)] as const;
  if (yearly[0] === undefined || yearly[1] === undefined) return undefined;
  return { type: "yearly", range: { first: yearly[0], last: yearly[1] } };
}

/** `22:00-06:00`; the end may be `24:00`. Undefined when it is none, or empty. */
export function parseTimes(text: string): TimeRange | undefined {
  const match = /^(\d{2}):(\d{2})-(\d{2}):(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = match.slice(1).map(Number);
  const [from, to] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  const isReal = fromHour < 24 && fromMinute < 60 && toMinute < 60 && to <= 24 * 60;
  return isReal && from !== to ? { from: from * 60_000, to: to * 60_000 } : undefined;
}

function dayOf(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  // 30 February would roll over into March.
  const isReal = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
  return isReal ? ms / dayMs : undefined;
}

function yearlyDayOf(text: string): number | undefined {
  // A leap year, so that 29 February is a day.
  if (!/^\d{2}-\d{2}$/.test(text) || dayOf(`2024-${text}`) === undefined) return undefined;
  return Number(text.replace("-", ""));
}
