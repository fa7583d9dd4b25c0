import type { JobRow, RunRow } from "../odb/job-types.ts";
import { alarmOf } from "./alarms.ts";
import { renderInstant } from "./instant-text.ts";
import { beginJobPlan } from "./job-plan.ts";
import type { JobSpec } from "./kinds/job.ts";
import { compileJob } from "./schedule/compiled-job.ts";
import { renderDuration } from "./schedule/duration.ts";
import { nextTimes } from "./schedule/next-times.ts";
import type { Calendars } from "./schedule/schedule.ts";

/** Why a job did not run, or what it will do next. */
export type ExplanationCode =
  | "inactive"
  | "paused"
  | "running"
  | "no-server"
  | "no-scheduler"
  | "waiting"
  | "retrying"
  | "ended"
  | "never"
  | "excluded"
  | "failed"
  | "lost"
  | "skipped"
  | "scheduled";

export interface Explanation {
  readonly code: ExplanationCode;
  /** One sentence, without a full stop. */
  readonly sentence: string;
  /** ISO 8601: when it runs next, if that is known. */
  readonly nextAt?: string | undefined;
}

export interface ExplainInput {
  readonly name: string;
  readonly spec: JobSpec;
  /** Undefined for a job that was never planned. */
  readonly row: JobRow | undefined;
  /**
   * Its latest runs, newest first, a dozen are enough; with those that wait although they are due.
   */
  readonly lastRuns: readonly RunRow[];
  /** The database's time. */
  readonly now: Date;
  readonly calendars: Calendars;
  /** Who holds the scheduler's lease; or nobody, since when (null: nobody ever did). */
  readonly schedulerHeld: { readonly server: string } | { readonly since: string | null };
  /** How many servers are up to run it. */
  readonly liveServers: number;
}

/** What is due for no longer than this is on its way. */
const promptMs = 2_000;

/** Answers "why did it not run?" and "what will it do next?" in one sentence. */
export function explainJob(input: ExplainInput): Explanation {
  return explainState(input) ?? explainRuns(input) ?? explainNext(input);
}

/** What keeps it from running at all. */
function explainState(input: ExplainInput): Explanation | undefined {
  const { spec, row, schedulerHeld, liveServers } = input;
  if (!spec.active) {
    return { code: "inactive", sentence: "It is not active: its field active is false" };
  }
  if (row?.paused) {
    const by = row.pausedBy === null ? "" : ` by ${row.pausedBy}`;
    const since = row.pausedAt === null ? "" : ` since ${at(input, row.pausedAt)}`;
    return { code: "paused", sentence: `It is paused${by}${since}` };
  }
  const running = input.lastRuns.find(({ state }) => state === "running");
  if (running) {
    const since = running.startedAt === null ? "" : ` since ${at(input, running.startedAt)}`;
    return {
      code: "running",
      sentence: `It is running${since} on server ${running.server ?? "?"}, run ${running.id}`,
    };
  }
  if (liveServers === 0) {
    return { code: "no-server", sentence: "No server is up to run it" };
  }
  if ("since" in schedulerHeld) {
    const since = schedulerHeld.since === null ? "" : ` since ${at(input, schedulerHeld.since)}`;
    return {
      code: "no-scheduler",
      sentence: `No server holds the lease of the scheduler${since}, so that nothing is planned ` +
        "until one takes it",
    };
  }
  return undefined;
}

/** What its latest run says. */
function explainRuns(input: ExplainInput): Explanation | undefined {
  const { lastRuns, now } = input;
  const waiting = lastRuns.filter(({ state }) => state === "planned");
  const last = lastRuns.find(({ state }) => state !== "planned");
  const retry = waiting.find(({ trigger }) => trigger === "retry");
  if (retry) {
    const failed = lastRuns.find(({ job, plannedAt, state }) =>
      job === retry.job && plannedAt === retry.plannedAt && state !== "planned"
    );
    return {
      code: "retrying",
      sentence:
        `${failed ? outcome(input, failed) : "Its last run failed"}; it is tried again at ` +
        at(input, retry.dueAt),
      nextAt: retry.dueAt,
    };
  }
  const overdue = waiting.findLast(({ dueAt }) => Date.parse(dueAt) <= now.getTime() - promptMs);
  if (overdue) {
    return {
      code: "waiting",
      sentence:
        `It has been due since ${at(input, overdue.dueAt)} and waits for a server that has ` +
        "a place free",
      nextAt: overdue.dueAt,
    };
  }
  if (last?.state !== "failed" && last?.state !== "lost" && last?.state !== "skipped") {
    return undefined;
  }
  const next = explainNext(input);
  return {
    ...next,
    code: last.state,
    sentence: `${outcome(input, last)}; ${lowerFirst(next.sentence)}`,
  };
}

function outcome(input: ExplainInput, run: RunRow): string {
  const how = {
    failed: "failed",
    lost: `was lost with server ${run.server ?? "?"}`,
    skipped: "was skipped",
  };
  const text = run.state in how ? how[run.state as keyof typeof how] : "ended"; // looked up before
  const attempt = run.attempt > 1 ? `attempt ${run.attempt} of its` : "its";
  const reason = run.reason === null ? "" : ` (${run.reason})`;
  return upperFirst(`${attempt} run of ${at(input, run.plannedAt)} ${text}${reason}`);
}

/** What its schedule says. */
function explainNext(input: ExplainInput): Explanation {
  const { spec, row, now, calendars } = input;
  const [next] = nextTimes(spec, calendars, { after: now, count: 1, row });
  if (next === undefined) return explainEnd(input);
  const nowMs = now.getTime();
  const nextAt = next.toISOString();
  const when = `${at(input, nextAt)}, in ${renderDuration(next.getTime() - nowMs)}`;
  const { schedule } = compileJob(spec, calendars);
  const first = schedule.nextOfAll(nowMs);
  const exclusion = first === null ? undefined : schedule.exclusionAt(first);
  if (first === null || exclusion === undefined) {
    return { code: "scheduled", sentence: `It runs next at ${when}`, nextAt };
  }
  return {
    code: "excluded",
    sentence: `Calendar "${exclusion.calendar}" excludes its times from ${
      at(input, new Date(first).toISOString())
    } until ${at(input, new Date(exclusion.untilMs).toISOString())}, so it runs next at ${when}`,
    nextAt,
  };
}

function explainEnd(input: ExplainInput): Explanation {
  const { name, spec, row, now, calendars } = input;
  const nowMs = now.getTime();
  const ended = (why: string): Explanation => ({ code: "ended", sentence: why });
  if (spec.at !== undefined) {
    const exclusion = compileJob(spec, calendars).schedule.exclusionAt(Date.parse(spec.at));
    if (exclusion) {
      return {
        code: "excluded",
        sentence: `Calendar "${exclusion.calendar}" excludes its only time, ${at(input, spec.at)}`,
      };
    }
    return ended(`Its only time, ${at(input, spec.at)}, has come`);
  }
  if (spec.repeats !== undefined && (row?.plannedCount ?? 0) >= spec.repeats) {
    return ended(`Its schedule has ended: all of its ${spec.repeats} times have come`);
  }
  const alarm = alarmOf(beginJobPlan({ name, spec }, row, { calendars, nowMs }), nowMs);
  if (alarm !== undefined) return { code: "never", sentence: alarm };
  return ended(
    spec.end === undefined
      ? "Its schedule has ended"
      : `Its schedule has ended: it has no time before its end, ${at(input, spec.end)}`,
  );
}

/** In the zone of the job. */
function at({ spec }: ExplainInput, time: string): string {
  return renderInstant(new Date(time), spec.timeZone);
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
