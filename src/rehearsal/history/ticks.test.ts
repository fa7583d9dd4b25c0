import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunRow } from "../../odb/job-types.ts";
import { checkTicks, type TickHistory } from "./ticks.ts";

const job = { name: "tick", everyMs: 1_000 };
const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;

function run(second: number, more: Partial<RunRow> = {}): RunRow {
  return {
    id: `run-${second}`,
    job: "tick",
    plannedAt: at(second),
    dueAt: at(second),
    trigger: "schedule",
    state: "ok",
    reason: null,
    attempt: 1,
    server: "server1",
    epoch: 1,
    plannerEpoch: 1,
    cid: `run-${second}`,
    startedAt: at(second),
    finishedAt: at(second),
    durationMs: 1,
    requestedBy: null,
    ...more,
  };
}

/** Checks runs of which each was executed once, unless it is said otherwise. */
function history(
  runs: readonly RunRow[],
  executed: Readonly<Record<string, number>> = {},
): TickHistory {
  const executions = new Map(
    Object.entries({ ...Object.fromEntries(runs.map(({ id }) => [id, 1])), ...executed })
      .filter(([, times]) => times > 0),
  );
  return checkTicks([job], runs, { executions, until: at(9) });
}

describe("The history of ticks", () => {
  it("is good when each planned time ran once", () => {
    const found = history([run(1), run(2), run(3, { server: "server2" })]);

    assert.equal(found.ticks, 3);
    const { missing, twice, lost, unfinished, phantom, unexplained } = found;
    assert.deepEqual([missing, twice, lost, unfinished, phantom, unexplained].flat(), []);
    assert.deepEqual(found.byServer, { server1: 2, server2: 1 });
  });

  it("misses a time that has no row", () => {
    assert.deepEqual(history([run(1), run(3)]).missing, [`tick at ${at(2)}`]);
  });

  it("finds a run that was executed twice", () => {
    assert.deepEqual(history([run(1)], { "run-1": 2 }).twice, [`tick at ${at(1)}`]);
  });

  it("finds a time of which two attempts ended well", () => {
    const again = run(1, { id: "again", attempt: 2, trigger: "retry" });

    assert.deepEqual(history([again, run(1)]).twice, [`tick at ${at(1)}`]);
  });

  it("takes a lost run that was tried again for what it is", () => {
    const cut = run(1, { state: "lost", reason: "server1 went away" });
    const again = run(1, { id: "again", attempt: 2, trigger: "retry" });

    const begun = history([cut, again]);
    const notBegun = history([cut, again], { "run-1": 0 });

    assert.deepEqual([...begun.lost, ...begun.twice], []);
    assert.deepEqual([begun.repeated, begun.repeatedExecuted], [1, 1]);
    assert.deepEqual([notBegun.repeated, notBegun.repeatedExecuted], [1, 0]);
  });

  it("names a time whose last attempt did not end well, and why", () => {
    const skipped = run(1, { state: "skipped", reason: "it was missed", startedAt: null });

    assert.deepEqual(history([skipped], { "run-1": 0 }).lost, [
      `tick at ${at(1)}: skipped (it was missed)`,
    ]);
  });

  it("names what has not ended, but for what is not due yet", () => {
    const later = run(9, { state: "planned", startedAt: null, dueAt: "2026-01-01T00:00:10.000Z" });
    const open = run(2, { state: "running", finishedAt: null });

    assert.deepEqual(history([run(1), open, later], { "run-9": 0 }).unfinished, [
      `tick at ${at(2)}`,
    ]);
  });

  it("believes no row that says it ran and did not", () => {
    assert.deepEqual(history([run(1)], { "run-1": 0 }).phantom, [`tick at ${at(1)}`]);
  });

  it("names executions that no row knows", () => {
    assert.deepEqual(history([run(1)], { other: 1 }).unexplained, ["other"]);
  });

  it("measures how late runs of the schedule began", () => {
    const late = run(1, { startedAt: "2026-01-01T00:00:01.250Z" });

    assert.equal(history([late, run(2)]).lateMaxMs, 250);
  });
});
