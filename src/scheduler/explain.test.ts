import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jobSpec, MemoryLedger } from "../../test/scheduler/memory-ledger.ts";
import type { JobRow, RunRow } from "../odb/job-types.ts";
import { type ExplainInput, explainJob } from "./explain.ts";
import { calendar } from "./kinds/calendar.ts";

const now = "2026-01-01T12:00:00.000Z";

type Circumstances = Partial<Omit<ExplainInput, "spec" | "now">>;

function explain(fields: Readonly<Record<string, unknown>>, more: Circumstances = {}) {
  const { code, sentence } = explainJob({
    name: "a",
    spec: jobSpec(fields),
    row: undefined,
    lastRuns: [],
    now: new Date(now),
    calendars: new Map(),
    schedulerHeld: { server: "server-1" },
    liveServers: 2,
    ...more,
  });
  assert.doesNotMatch(sentence, /\.$|undefined|null|NaN/);
  return [code, sentence];
}

function run(fields: Partial<RunRow>): RunRow {
  return {
    id: "run-1",
    job: "a",
    plannedAt: "2026-01-01T11:00:00.000Z",
    dueAt: "2026-01-01T11:00:00.000Z",
    trigger: "schedule",
    state: "ok",
    reason: null,
    attempt: 1,
    server: "server-2",
    epoch: 1,
    plannerEpoch: 1,
    cid: "run-1",
    startedAt: "2026-01-01T11:00:00.000Z",
    finishedAt: null,
    durationMs: null,
    requestedBy: null,
    ...fields,
  };
}

function rowOf(fields: Readonly<Record<string, unknown>>, plannedAt: string): JobRow {
  const ledger = new MemoryLedger({ a: fields });
  ledger.plan(plannedAt);
  return ledger.rows.get("a")!; // just planned
}

const hourly = { cron: "0 * * * *" };

describe("explainJob", () => {
  it("says when it runs next, in the job's time zone", () => {
    assert.deepEqual(explain(hourly), [
      "scheduled",
      "It runs next at 2026-01-01 13:00:00 UTC, in 1h",
    ]);
    assert.deepEqual(explain({ cron: "30 13 * * *", timeZone: "Europe/Vienna" }), [
      "scheduled",
      "It runs next at 2026-01-01 13:30:00 Europe/Vienna, in 30m",
    ]);
    assert.deepEqual(explain(hourly, { lastRuns: [run({})] })[0], "scheduled");
  });

  it("says that it is inactive, or paused by whom", () => {
    assert.deepEqual(explain({ ...hourly, active: false })[0], "inactive");
    const row = { ...rowOf(hourly, now), paused: true, pausedBy: "operator/anna", pausedAt: now };
    assert.deepEqual(explain(hourly, { row }), [
      "paused",
      "It is paused by operator/anna since 2026-01-01 12:00:00 UTC",
    ]);
  });

  it("says that it runs right now", () => {
    const lastRuns = [run({ state: "running" }), run({ state: "failed" })];
    assert.deepEqual(explain(hourly, { lastRuns }), [
      "running",
      "It is running since 2026-01-01 11:00:00 UTC on server server-2, run run-1",
    ]);
  });

  it("says that nobody can plan or run it", () => {
    assert.deepEqual(explain(hourly, { liveServers: 0 }), [
      "no-server",
      "No server is up to run it",
    ]);
    assert.deepEqual(explain(hourly, { schedulerHeld: { since: "2026-01-01T11:58:30.000Z" } }), [
      "no-scheduler",
      "No server holds the lease of the scheduler since 2026-01-01 11:58:30 UTC, so that nothing " +
      "is planned until one takes it",
    ]);
    assert.equal(explain(hourly, { schedulerHeld: { since: null } })[0], "no-scheduler");
  });

  it("says that it waits for a server", () => {
    const waiting = run({ state: "planned", dueAt: "2026-01-01T11:59:30.000Z" });
    assert.deepEqual(explain(hourly, { lastRuns: [waiting, run({ state: "failed" })] }), [
      "waiting",
      "It has been due since 2026-01-01 11:59:30 UTC and waits for a server that has a place free",
    ]);
  });

  it("says why its last run failed, and when it is tried again", () => {
    const failed = run({ state: "failed", reason: "No money", attempt: 2 });
    const retry = run({
      state: "planned",
      trigger: "retry",
      attempt: 3,
      dueAt: "2026-01-01T12:00:20.000Z",
    });
    assert.deepEqual(explain(hourly, { lastRuns: [retry, failed] }), [
      "retrying",
      "Attempt 2 of its run of 2026-01-01 11:00:00 UTC failed (No money); it is tried again at " +
      "2026-01-01 12:00:20 UTC",
    ]);
    assert.deepEqual(explain(hourly, { lastRuns: [{ ...failed, attempt: 1 }] }), [
      "failed",
      "Its run of 2026-01-01 11:00:00 UTC failed (No money); it runs next at " +
      "2026-01-01 13:00:00 UTC, in 1h",
    ]);
  });

  it("says that its last run was skipped or lost", () => {
    const skipped = run({ state: "skipped", reason: "Run r-7 still ran on server-1" });
    assert.deepEqual(explain(hourly, { lastRuns: [skipped] }), [
      "skipped",
      "Its run of 2026-01-01 11:00:00 UTC was skipped (Run r-7 still ran on server-1); it runs " +
      "next at 2026-01-01 13:00:00 UTC, in 1h",
    ]);
    assert.match(
      explain(hourly, { lastRuns: [run({ state: "lost" })] })[1] ?? "",
      /was lost with server server-2; it runs next/,
    );
  });

  it("says which calendar excludes it, and until when", () => {
    const calendars = new Map([["holidays", calendar.schema.parse({ dates: ["01-01"] })]]);
    assert.deepEqual(explain({ ...hourly, calendars: ["holidays"] }, { calendars }), [
      "excluded",
      'Calendar "holidays" excludes its times from 2026-01-01 13:00:00 UTC until 2026-01-02 ' +
      "00:00:00 UTC, so it runs next at 2026-01-02 00:00:00 UTC, in 12h",
    ]);
    assert.deepEqual(
      explain({ at: "2026-01-01T13:00:00Z", calendars: ["holidays"] }, { calendars }),
      [
        "excluded",
        'Calendar "holidays" excludes its only time, 2026-01-01 13:00:00 UTC',
      ],
    );
  });

  it("says that its schedule has ended", () => {
    assert.deepEqual(explain({ at: "2026-01-01T11:00:00Z" }), [
      "ended",
      "Its only time, 2026-01-01 11:00:00 UTC, has come",
    ]);
    const twice = { every: "1s", repeats: 2 };
    assert.deepEqual(explain(twice, { row: rowOf(twice, "2026-01-01T11:00:00Z") }), [
      "ended",
      "Its schedule has ended: all of its 2 times have come",
    ]);
    assert.deepEqual(explain({ every: "1h", end: "2026-01-01T11:30:00Z" }), [
      "ended",
      "Its schedule has ended: it has no time before its end, 2026-01-01 11:30:00 UTC",
    ]);
  });

  it("says that it will never run", () => {
    assert.deepEqual(explain({ cron: "0 0 30 2 *" }), [
      "never",
      'It has no next time: there is no date that fits "0 0 30 2 *"',
    ]);
  });
});
