import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LoadEntry } from "../load/ledger.ts";
import type { FaultRecord } from "./fault-log.ts";
import { checkRequests, type MethodHistory } from "./requests.ts";

function entry(id: string, more: Partial<LoadEntry> = {}): LoadEntry {
  return { id, method: "POST", sentAtMs: 1_000, endedAtMs: 1_010, outcome: "ok", ...more };
}

function history(
  entries: readonly LoadEntry[],
  executions: Readonly<Record<string, number>>,
  faults: readonly FaultRecord[] = [],
): MethodHistory {
  return checkRequests(entries, new Map(Object.entries(executions)), { faults }).methods[0]!;
}

describe("The history of requests", () => {
  it("is good when each was answered and executed once", () => {
    const found = history([entry("a"), entry("b")], { a: 1, b: 1 });

    assert.equal(found.sent, 2);
    assert.equal(found.good, 2);
    assert.deepEqual([found.failed, found.duplicated, found.lost, found.unaccounted], [
      [],
      [],
      [],
      [],
    ]);
  });

  it("names what was answered and never executed", () => {
    assert.deepEqual(history([entry("a"), entry("b")], { b: 1 }).lost, ["a"]);
  });

  it("names what was executed twice, answered well or not", () => {
    const entries = [entry("a"), entry("b", { outcome: "unknown", reason: "reset" })];

    assert.deepEqual(history(entries, { a: 2, b: 3 }).duplicated, ["a", "b"]);
  });

  it("names what was executed and sent by nobody", () => {
    const { unexplained } = checkRequests([entry("a")], new Map([["a", 1], ["x", 1]]), {
      faults: [],
    });

    assert.deepEqual(unexplained, ["x"]);
  });

  it("tells failures that a fault accounts for from others, and whether they were executed", () => {
    const killed = { what: "killed", atMs: 2_000, costsUntilMs: 2_250 };
    const failed = (id: string, sentAtMs: number, endedAtMs: number) =>
      entry(id, { sentAtMs, endedAtMs, outcome: "unknown", reason: "reset" });
    const before = failed("before", 1_000, 1_990);
    const inFlight = failed("in flight", 1_900, 2_001);
    const justAfter = failed("just after", 2_200, 2_300);
    const after = failed("after", 2_300, 2_310);
    const all = [before, inFlight, justAfter, after];

    const found = history(all, { "in flight": 1 }, [killed]);

    assert.deepEqual(found.failed, all);
    assert.deepEqual(found.unaccounted, [before, after]);
    assert.equal(found.failedExecuted, 1);
  });

  it("tells failures while nobody lived from others, whatever the method", () => {
    const nobody: FaultRecord = {
      what: "all killed",
      atMs: 2_000,
      untilMs: 4_000,
      leavesNobody: true,
    };
    const failed = (id: string, sentAtMs: number) =>
      entry(id, { method: "GET", sentAtMs, endedAtMs: sentAtMs + 10, outcome: "refused" });
    const [before, during, after] = [failed("a", 1_980), failed("b", 3_000), failed("c", 4_001)];

    const found = history([before!, during!, after!], {}, [nobody]);

    assert.deepEqual(found.unserved, [during]);
    assert.deepEqual(found.unaccounted, [before, after]);
  });

  it("tells what was refused while that was promised from what failed", () => {
    const overload = { what: "overload", atMs: 2_000, untilMs: 4_000, mayRefuse: true } as const;
    const refused = (id: string, sentAtMs: number, reason = "status 503") =>
      entry(id, { sentAtMs, endedAtMs: sentAtMs + 10, outcome: "refused", reason });
    const during = [refused("a", 3_000), refused("b", 3_000, "status 429")];
    const others = [refused("c", 1_000), refused("d", 3_000, "status 500")];

    const found = history([...during, ...others], { b: 1 }, [overload]);

    assert.equal(found.turnedAway, 2);
    assert.deepEqual(found.turnedAwayExecuted, ["b"]);
    assert.deepEqual(found.failed, others);
    assert.deepEqual(found.unaccounted, others);
  });

  it("accounts for nothing with a fault that may cost nothing", () => {
    const drained = { what: "stopped in order", atMs: 1_000 };
    const refused = entry("a", { outcome: "refused", reason: "status 503" });

    assert.deepEqual(history([refused], {}, [drained]).unaccounted, [refused]);
  });

  it("keeps methods apart", () => {
    const { methods } = checkRequests([entry("a"), entry("b", { method: "GET" })], new Map(), {
      faults: [],
    });

    assert.deepEqual(methods.map(({ method, lost }) => [method, lost]), [["GET", ["b"]], [
      "POST",
      ["a"],
    ]]);
  });

  it("measures good answers only", () => {
    const slow = entry("b", { endedAtMs: 9_000, outcome: "unknown" });

    assert.equal(history([entry("a"), slow], { a: 1 }).maxMs, 10);
  });
});
