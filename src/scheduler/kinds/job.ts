import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";
import { missedPolicies, overlapPolicies } from "../../odb/job-types.ts";
import { cronProblem } from "../schedule/cron.ts";
import { parseDuration } from "../schedule/duration.ts";
import { instant, timeZone } from "./fields.ts";

const everyMinMs = 10;
const everyMaxMs = 100 * 366 * 86_400_000;

const every = z.string().superRefine((text, context) => {
  const ms = parseDuration(text);
  const problem = ms === undefined
    ? `"${text}" is no duration; write weeks to milliseconds, larger units first, such as 1h30m, ` +
      "2w3d or 250ms"
    : ms < everyMinMs || ms > everyMaxMs
    ? `${text} is too ${ms < everyMinMs ? "short" : "long"}; write something between ` +
      `${everyMinMs}ms and 100 years`
    : undefined;
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const cron = z.string().max(200).superRefine((text, context) => {
  const problem = cronProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** A service that is invoked at times. */
export const job = defineKind({
  kind: "Job",
  group: "data",
  description: "Invokes a service once, at intervals, or at the times of a cron expression",
  schema: z.strictObject({
    service: z.string().min(1).meta({ description: "What to invoke", example: "billing.close" }),
    input: z.json().default({}).meta({
      description: "The service's input",
      example: { region: "eu" },
    }),
    active: z.boolean().default(true).meta({
      description: "Whether it runs at all",
      example: true,
    }),
    at: instant.optional().meta({
      description: "One-time: when",
      example: "2026-12-24T18:00:00+01:00",
    }),
    every: every.optional().meta({
      description: "Interval: a duration of weeks, days, hours, minutes, seconds, milliseconds",
      example: "1h30m",
    }),
    cron: cron.optional().meta({
      description: "Cron expression of 5 or 6 fields (seconds first), or @hourly and the like",
      example: "0 9 * * MON-FRI",
    }),
    timeZone: timeZone.meta({
      description: "For cron: the time zone of its fields",
      example: "Europe/Vienna",
    }),
    start: instant.optional().meta({
      description: "No time before this one; intervals are counted from it, else from 1970 (UTC)",
      example: "2026-01-01T00:00:00Z",
    }),
    end: instant.optional().meta({
      description: "No time after this one",
      example: "2027-01-01T00:00:00Z",
    }),
    repeats: z.int().min(1).optional().meta({
      description: "How many times in all, skipped ones as well; default: no end",
      unit: "times",
      example: 10,
    }),
    calendars: z.array(z.string()).default([]).meta({
      description: "Calendars of times at which it does not run",
      example: ["holidays"],
    }),
    jitterMs: z.int().min(0).max(3_600_000).default(0).meta({
      description: "Each time is put off by a random part of this",
      example: 5_000,
    }),
    overlap: z.enum(overlapPolicies).default("skip").meta({
      description:
        "When the time comes while it still runs: skip the time, queue it, allow both, " +
        "or cancel the one that runs",
      example: "queue",
    }),
    missed: z.enum(missedPolicies).default("once").meta({
      description: "Times that nobody could run when they came: skip them, run once for all of " +
        "them, or run all of them",
      example: "all",
    }),
    missedMax: z.int().min(1).max(10_000).default(100).meta({
      description: "Most missed times that are run; the latest count",
      unit: "times",
      example: 10,
    }),
    graceMs: z.int().min(0).max(86_400_000).default(30_000).meta({
      description: "A time that begins later than this was missed",
      example: 60_000,
    }),
    timeoutMs: z.int().min(1).max(86_400_000).default(300_000).meta({
      description: "Time that each attempt may take",
      example: 60_000,
    }),
    attemptsMax: z.int().min(1).max(1_000).default(1).meta({
      description: "Attempts in all when it fails",
      unit: "attempts",
      example: 3,
    }),
    retryMs: z.int().min(0).max(3_600_000).default(10_000).meta({
      description: "Wait before the second attempt; doubled for each further one, up to an hour",
      example: 1_000,
    }),
    retryLost: z.boolean().default(false).meta({
      description: "Whether a run that was lost with its server is tried again like a failed one",
      example: true,
    }),
    deactivateWhenDone: z.boolean().default(false).meta({
      description: "Whether it is made inactive when no time is left",
      example: true,
    }),
    description: z.string().max(1_000).optional().meta({
      description: "What the job is for, for people",
      example: "Closes the books of the day",
    }),
  }).superRefine((spec, context) => {
    for (const [field, message] of problemsOf(spec)) {
      context.addIssue({ code: "custom", message, path: [field] });
    }
  }),
  references: [{ field: "service", to: "Service" }, {
    field: "calendars",
    to: { kind: "Calendar" },
  }],
});

/** A Job's spec, validated. */
export type JobSpec = z.output<typeof job.schema>;

interface JobTimes {
  readonly at?: string | undefined;
  readonly every?: string | undefined;
  readonly cron?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly repeats?: number | undefined;
}

/** What does not go together, as field and message. */
function problemsOf(spec: JobTimes): readonly (readonly [string, string])[] {
  const given = (["at", "every", "cron"] as const).filter((field) => spec[field] !== undefined);
  if (given.length === 0) {
    return [["every", "It says nothing of when to run; write one of at, every and cron"]];
  }
  if (given.length > 1) {
    return [[given[1]!, `${given.join(" and ")} exclude one another; leave one`]]; // it has two
  }
  if (spec.at !== undefined) {
    return (["start", "end", "repeats"] as const).filter((field) => spec[field] !== undefined)
      .map((field) => [field, `A job with at runs once; leave out ${field}`]);
  }
  if (spec.start === undefined || spec.end === undefined) return [];
  return Date.parse(spec.start) < Date.parse(spec.end)
    ? []
    : [["end", `${spec.end} is not later than start, ${spec.start}; write a later end`]];
}
