import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { parseDays, parseTimes, weekdays } from "../schedule/calendar-days.ts";
import { timeZone } from "./fields.ts";

const days = z.string().refine((text) => parseDays(text) !== undefined, {
  error: ({ input }) =>
    `"${input}" is no day that exists and no range of such; write 2026-12-24, ` +
    "2026-12-24/2026-12-31, or 12-24 and 12-24/01-06 for every year",
});

const times = z.string().refine((text) => parseTimes(text) !== undefined, {
  error: ({ input }) => `"${input}" is no range of times; write 22:00-06:00 or 12:00-24:00`,
});

/** Times at which jobs do not run. */
export const calendar = defineKind({
  kind: "Calendar",
  group: "data",
  description: "Times at which jobs do not run: holidays, weekends, nights",
  schema: z.strictObject({
    timeZone: timeZone.meta({
      description: "The time zone of everything below",
      example: "Europe/Vienna",
    }),
    dates: z.array(days).max(10_000).default([]).meta({
      description: "Days, and ranges of days with both ends; without a year, every year",
      example: ["2026-12-24/2026-12-31", "05-01"],
    }),
    weekdays: z.array(z.enum(weekdays)).max(6, "All days of the week leave none; leave one out")
      .default([]).meta({
        description: "Days of the week",
        example: ["SAT", "SUN"],
      }),
    times: z.array(times).max(100).default([]).meta({
      description: "Times of day, from and up to but without the end; may reach over midnight",
      example: ["22:00-06:00"],
    }),
    description: z.string().max(1_000).optional().meta({
      description: "What the calendar is for, for people",
      example: "Public holidays in Austria",
    }),
  }),
  references: [],
});

/** A Calendar's spec, validated. */
export type CalendarSpec = z.output<typeof calendar.schema>;
