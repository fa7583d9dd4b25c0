import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { admit, type DueRun, type JobFacts } from "./admission.ts";
import type { StoredTerms } from "./rows.ts";

const now = "2026-03-01T12:00:00.000Z";
const idle: JobFacts = {
  now,
  server: "server1",
  occupants: new Map(),
  firstWakes: new Map(),
  states: new Map(),
  latestTimes: new Map(),
  waiting: new Map(),
};

describe("admission of due runs", () => {
  it("takes the first run of each job, and the rest by the job's policy", () => {
    const runs = [
      due("a1", 3),
      due("b1", 3, { overlap: "queue" }),
      due("c1", 3, { overlap: "allow" }),
      due("a2", 2),
      due("b2", 2, { overlap: "queue" }),
      due("c2", 2, { overlap: "allow" }),
    ];

    assert.deepEqual(outcome(runs), {
      claims: "a1 b1 c1 c2",
      skips: "a2",
      waits: "b2",
      cancels: "",
    });
  });

  it("takes the newest of several that cancel one another", () => {
    const runs = [3, 2, 1].map((ago) => due(`a${ago}`, ago, { overlap: "cancel" }));

    assert.deepEqual(outcome(runs), { claims: "a1", skips: "a3 a2", waits: "", cancels: "" });
  });

  it("takes no run again whose job must not begin it, or is just being changed", () => {
    const again = (id: string, trigger = "retry") => ({ ...due(id, 1), isAgain: true, trigger });
    const states = new Map([
      ["a", { goneReason: undefined, stopReason: undefined }],
      ["b", { goneReason: undefined, stopReason: "paused" }],
      ["c", { goneReason: undefined, stopReason: "paused" }],
      ["d", { goneReason: "deleted", stopReason: "deleted" }],
    ]);
    const runs = [again("a"), again("b"), again("c", "manual"), again("d", "manual"), again("e")];

    assert.deepEqual(outcome(runs, { states }), {
      claims: "a c",
      skips: "b d",
      waits: "",
      cancels: "",
    });
  });

  it("leaves a job alone while somebody takes an earlier run of it", () => {
    const firstWakes = new Map([["a", secondsAgo(9)]]);

    const nothing = { claims: "", skips: "", waits: "", cancels: "" };
    assert.deepEqual(outcome([due("a1", 3), due("a2", 2)], { firstWakes }), nothing);
    const allowed = [due("a1", 3, { overlap: "allow" })];
    assert.equal(outcome(allowed, { firstWakes }).claims, "a1");
  });

  it("lets a run wait only when the end of the one before cannot be overlooked", () => {
    const occupant = (isLocked: boolean) =>
      new Map([["a", { id: "a0", server: "server2", plannedAt: secondsAgo(9), isLocked }]]);
    const queued = [due("a1", 1, { overlap: "queue" })];
    const cancelling = [due("a1", 1, { overlap: "cancel" })];

    assert.equal(outcome(queued, { occupants: occupant(true) }).waits, "a1");
    assert.equal(outcome(queued, { occupants: occupant(false) }).waits, "");
    const cancelled = outcome(cancelling, { occupants: occupant(true) });
    assert.deepEqual([cancelled.waits, cancelled.cancels], ["a1", "a0"]);
    assert.equal(outcome(cancelling, { occupants: occupant(false) }).cancels, "");
    assert.equal(outcome([due("a1", 1)], { occupants: occupant(false) }).skips, "a1");
  });

  it("does not take a run that waited for its turn for a missed one", () => {
    const terms = { missed: "skip", overlap: "queue", graceMs: 1_000 } as const;

    assert.equal(outcome([due("a1", 60, terms)]).skips, "a1");
    assert.equal(outcome([{ ...due("a1", 60, terms), hasWaited: true }]).claims, "a1");
    assert.equal(outcome([{ ...due("a1", 60, terms), trigger: "manual" }]).claims, "a1");
    assert.equal(outcome([{ ...due("a1", 60, terms), trigger: "retry" }]).claims, "a1");
  });

  it("lets the latest time stand for all that were missed", () => {
    const terms = { missed: "once", graceMs: 1_000 } as const;
    const latestTimes = new Map([["a", secondsAgo(60)]]);
    const runs = [due("a1", 80, terms), due("a2", 60, terms)];

    assert.deepEqual(outcome(runs, { latestTimes }), {
      claims: "a2",
      skips: "a1",
      waits: "",
      cancels: "",
    });
  });

  it("runs missed times one after the other where all are wanted", () => {
    const terms = { missed: "all", graceMs: 1_000 } as const;
    const runs = [due("a1", 80, terms), due("a2", 60, terms), due("a3", 0, terms)];

    assert.deepEqual(outcome(runs), { claims: "a1", skips: "a3", waits: "a2", cancels: "" });
  });
});

function secondsAgo(seconds: number): string {
  return new Date(Date.parse(now) - seconds * 1_000).toISOString();
}

/** A run of the job that its id begins with, due so many seconds ago. */
function due(id: string, ago: number, changed: Partial<StoredTerms> = {}): DueRun {
  const at = secondsAgo(ago);
  const times = { plannedAt: at, dueAt: at, wakeAt: at };
  const terms: StoredTerms = {
    overlap: "skip",
    missed: "once",
    graceMs: 60_000,
    timeoutMs: 1_000,
    attemptsMax: 1,
    retryMs: 0,
    retryLost: false,
    ...changed,
  };
  return {
    id,
    job: id.slice(0, 1),
    ...times,
    trigger: "schedule",
    hasWaited: false,
    isAgain: false,
    terms,
  };
}

function outcome(runs: readonly DueRun[], facts: Partial<JobFacts> = {}) {
  const { claims, skips, waits, cancels } = admit(runs, { ...idle, ...facts });
  const idsOf = (some: readonly { readonly id: string }[]) => some.map(({ id }) => id).join(" ");
  return {
    claims: idsOf(claims),
    skips: idsOf(skips),
    waits: idsOf(waits),
    cancels: idsOf(cancels),
  };
}
