import { calendar } from "../../src/scheduler/kinds/calendar.ts";
import type { Calendars } from "../../src/scheduler/schedule/schedule.ts";
import type { Random } from "../simulation/random.ts";

/** Calendars that random jobs name. */
export const randomCalendars: Calendars = new Map(
  Object.entries({
    weekends: { weekdays: ["SAT", "SUN"], timeZone: "Europe/Vienna" },
    nights: { times: ["21:30-06:15"], timeZone: "America/New_York" },
    holidays: { dates: ["12-24/01-06", "2026-03-29", "2026-10-24/2026-10-26", "02-29"] },
  }).map(([name, spec]) => [name, calendar.schema.parse(spec)]),
);

const zones = [
  "UTC",
  "Europe/Vienna",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Africa/Casablanca",
  "America/St_Johns",
];

/** When random jobs begin: shortly before clocks are changed somewhere, or at any time of 2026. */
const moments = [
  "2026-03-08T06:30:00Z",
  "2026-03-29T00:30:00Z",
  "2026-04-04T14:20:00Z",
  "2026-10-03T15:00:00Z",
  "2026-10-25T00:20:00Z",
  "2026-11-01T05:10:00Z",
  "2026-12-31T23:59:30Z",
  "2028-02-28T23:00:00Z",
].map((time) => Date.parse(time));

/** A time at which something may go wrong. */
export function randomMoment(random: Random): number {
  return random.chance(0.5)
    ? pick(random, moments) + random.below(3_600_000)
    : Date.UTC(2026, 0, 1) + random.below(31_536_000) * 1_000;
}

/** The fields of a valid job that is not a one-time one. */
export function randomJob(random: Random, nowMs: number): Record<string, unknown> {
  const maybe = (fields: Record<string, unknown>) => random.chance(0.3) ? fields : {};
  return {
    ...(random.chance(0.5) ? randomCron(random) : { every: randomInterval(random) }),
    ...maybe({ start: new Date(nowMs - 5_000 + random.below(20_000)).toISOString() }),
    ...maybe({ end: new Date(nowMs + 30_000 + random.below(1e9)).toISOString() }),
    ...maybe({ repeats: 1 + random.below(30) }),
    ...maybe({ calendars: [pick(random, [...randomCalendars.keys()])] }),
    ...maybe({ jitterMs: 1 + random.below(5_000) }),
  };
}

function randomInterval(random: Random): string {
  return pick(random, ["730ms", "1s", "1.5s", "7s", "1m", "59m", "1h30m", "1d", "2w3d"]);
}

function randomCron(random: Random): Record<string, unknown> {
  const cron = [
    pick(random, ["0", "*/7", "30", "*"]),
    pick(random, ["*", "0", "*/20", "15,45"]),
    pick(random, ["*", "*", "1", "2", "1-3", "*/6", "0"]),
    pick(random, ["*", "*", "*", "L", "15W", "29"]),
    pick(random, ["*", "*", "*", "2,3,10,11"]),
    pick(random, ["*", "*", "*", "SUN", "MON-FRI", "SUN#L"]),
  ].join(" ");
  return { cron, timeZone: pick(random, zones) };
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)]!; // below its length, and it is not empty
}
