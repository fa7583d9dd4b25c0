import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jobSpec, MemoryLedger } from "../../test/scheduler/memory-ledger.ts";
import { randomCalendars, randomJob, randomMoment } from "../../test/scheduler/random-job.ts";
import { Random } from "../../test/simulation/random.ts";
import { nextTimes } from "./schedule/next-times.ts";

const durationMs = 300_000;
const horizonMs = 15_000;

describe("Random jobs", () => {
  it("have the same runs in whatever steps they are planned, and no other ones", () => {
    let count = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed);
      const nowMs = randomMoment(random);
      // Long ago is near enough for planning to be late without anything being missed.
      const fields = { ...randomJob(random, nowMs), graceMs: durationMs };
      const inSteps = new MemoryLedger({ a: fields });
      const atOnce = new MemoryLedger({ a: fields });
      inSteps.calendars = atOnce.calendars = randomCalendars;
      atOnce.planAll(nowMs, durationMs + horizonMs);
      for (let time = nowMs; time < nowMs + durationMs; time += 1 + random.below(40_000)) {
        inSteps.planAll(time, horizonMs);
        const again = inSteps.plan(time, horizonMs);
        assert.deepEqual([again.runs, again.progress], [[], []], `seed ${seed}: nothing twice`);
      }
      inSteps.planAll(nowMs + durationMs, horizonMs);
      const expected = nextTimes(jobSpec(fields), randomCalendars, {
        after: new Date(nowMs),
        count: 500,
      }).map((time) => time.toISOString());
      const until = new Date(nowMs + durationMs + horizonMs).toISOString();
      const planned = inSteps.runsOf("a").map(({ plannedAt }) => plannedAt);
      assert.deepEqual(planned, expected.filter((time) => time <= until), `seed ${seed}`);
      assert.deepEqual(inSteps.runsOf("a"), atOnce.runsOf("a"), `seed ${seed}: all at once`);
      count += planned.length;
    }
    assert.ok(count > 5_000, `${count} runs`);
  });

  it("lose no time and count none twice when they are changed at random", () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed);
      const nowMs = randomMoment(random);
      const fields = { every: "3s", graceMs: durationMs };
      const ledger = new MemoryLedger({ a: fields });
      ledger.planAll(nowMs, horizonMs);
      let time = nowMs;
      for (let step = 0; step < 12; step++) {
        time += 500 + random.below(20_000);
        ledger.begin(time);
        if (random.chance(0.5)) {
          ledger.setJobs({ a: { ...fields, input: step } });
        }
        ledger.planAll(time, horizonMs);
      }
      const expected = nextTimes(jobSpec(fields), new Map(), {
        after: new Date(nowMs),
        count: 1_000,
      }).map((one) => one.toISOString()).filter((one) =>
        one <= new Date(time + horizonMs).toISOString()
      );
      const runs = ledger.runsOf("a");
      assert.deepEqual(runs.map(({ plannedAt }) => plannedAt), expected, `seed ${seed}`);
      assert.equal(ledger.rows.get("a")?.plannedCount, expected.length, `seed ${seed}: count`);
    }
  });
});
