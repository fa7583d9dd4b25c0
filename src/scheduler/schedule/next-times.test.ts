import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jobSpec, MemoryLedger } from "../../../test/scheduler/memory-ledger.ts";
import { randomCalendars, randomJob, randomMoment } from "../../../test/scheduler/random-job.ts";
import { Random } from "../../../test/simulation/random.ts";
import { calendar } from "../kinds/calendar.ts";
import { nextTimes } from "./next-times.ts";
import { scheduleOf } from "./schedule.ts";

const none = new Map();

function next(fields: Readonly<Record<string, unknown>>, after: string, count = 3): string[] {
  return nextTimes(jobSpec(fields), none, { after: new Date(after), count })
    .map((time) => time.toISOString().replace(".000Z", "Z"));
}

/** With one calendar. */
function nextExcept(
  exclusions: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, unknown>>,
  after: string,
): string[] {
  const calendars = new Map([["c", calendar.schema.parse(exclusions)]]);
  return nextTimes(jobSpec({ ...fields, calendars: ["c"] }), calendars, {
    after: new Date(after),
    count: 3,
  }).map((time) => time.toISOString().replace(":00.000Z", "Z"));
}

describe("nextTimes", () => {
  it("has the one time of a one-time job, before it", () => {
    const job = { at: "2026-05-01T12:00:00+02:00" };
    assert.deepEqual(next(job, "2026-05-01T09:59:59Z"), ["2026-05-01T10:00:00Z"]);
    assert.deepEqual(next(job, "2026-05-01T10:00:00Z"), []);
  });

  it("counts intervals in absolute time, from 1970 or from start", () => {
    assert.deepEqual(next({ every: "1d" }, "2026-03-28T12:00:00Z", 2), [
      "2026-03-29T00:00:00Z",
      "2026-03-30T00:00:00Z",
    ]);
    const start = "2026-03-28T13:00:00+01:00";
    assert.deepEqual(next({ every: "1d", start }, "2020-01-01T00:00:00Z"), [
      "2026-03-28T12:00:00Z",
      "2026-03-29T12:00:00Z",
      "2026-03-30T12:00:00Z",
    ]);
    assert.deepEqual(next({ every: "250ms" }, "2026-01-01T00:00:00.100Z"), [
      "2026-01-01T00:00:00.250Z",
      "2026-01-01T00:00:00.500Z",
      "2026-01-01T00:00:00.750Z",
    ]);
  });

  it("ends with end, and with repeats", () => {
    const job = { every: "1h", end: "2026-01-01T02:00:00Z" };
    assert.deepEqual(next(job, "2026-01-01T00:00:00Z"), [
      "2026-01-01T01:00:00Z",
      "2026-01-01T02:00:00Z",
    ]);
    assert.equal(next({ every: "1h", repeats: 2 }, "2026-01-01T00:00:00Z").length, 2);
  });

  it("takes what was planned already off the repeats", () => {
    const fields = { every: "5s", repeats: 4 };
    const ledger = new MemoryLedger({ a: fields });
    ledger.plan("2026-01-01T00:00:00Z", 10_000);
    const row = ledger.rows.get("a");
    const after = new Date("2026-01-01T00:00:05Z");
    const times = nextTimes(jobSpec(fields), none, { after, count: 10, row });
    assert.deepEqual(times.map((time) => time.getUTCSeconds()), [10, 15, 20]);
    const other = jobSpec({ ...fields, every: "6s" });
    assert.equal(nextTimes(other, none, { after, count: 10, row }).length, 4);
  });

  it("leaves out the days of calendars, in their zone", () => {
    const noon = { cron: "0 12 * * *" };
    assert.deepEqual(nextExcept({ weekdays: ["SAT", "SUN"] }, noon, "2026-01-02T13:00:00Z"), [
      "2026-01-05T12:00Z",
      "2026-01-06T12:00Z",
      "2026-01-07T12:00Z",
    ]);
    assert.deepEqual(nextExcept({ dates: ["12-24/01-06"] }, noon, "2026-12-22T13:00:00Z"), [
      "2026-12-23T12:00Z",
      "2027-01-07T12:00Z",
      "2027-01-08T12:00Z",
    ]);
    assert.deepEqual(
      nextExcept({ dates: ["2026-01-03/2026-01-05", "2026-01-06"] }, noon, "2026-01-02T00:00:00Z")
        .slice(0, 2),
      ["2026-01-02T12:00Z", "2026-01-07T12:00Z"],
    );
    // In Auckland the 5th begins at 11:00 of the 4th.
    assert.deepEqual(
      nextExcept(
        { dates: ["2026-01-05"], timeZone: "Pacific/Auckland" },
        { cron: "0 10,12 * * *" },
        "2026-01-04T00:00:00Z",
      ),
      ["2026-01-04T10:00Z", "2026-01-05T12:00Z", "2026-01-06T10:00Z"],
    );
  });

  it("leaves out times of day, over midnight as well, up to but without their end", () => {
    assert.deepEqual(
      nextExcept({ times: ["22:00-06:00"] }, { every: "4h" }, "2026-01-01T17:00:00Z"),
      ["2026-01-01T20:00Z", "2026-01-02T08:00Z", "2026-01-02T12:00Z"],
    );
    assert.deepEqual(
      nextExcept({ times: ["22:00-04:00"] }, { every: "4h" }, "2026-01-01T21:00:00Z").slice(0, 1),
      ["2026-01-02T04:00Z"],
    );
  });

  it("leaves out times of day by the clock where it is changed", () => {
    const vienna = { times: ["02:00-03:00"], timeZone: "Europe/Vienna" };
    assert.deepEqual(nextExcept(vienna, { every: "30m" }, "2026-10-24T23:35:00Z"), [
      "2026-10-25T02:00Z",
      "2026-10-25T02:30Z",
      "2026-10-25T03:00Z",
    ]);
    assert.deepEqual(nextExcept(vienna, { every: "30m" }, "2026-03-29T00:15:00Z"), [
      "2026-03-29T00:30Z",
      "2026-03-29T01:00Z",
      "2026-03-29T01:30Z",
    ]);
  });

  it("ends its search for times that never come", () => {
    const after = "2026-01-01T00:00:00Z";
    assert.deepEqual(next({ cron: "0 0 30 2 *" }, after), []);
    const night = { times: ["22:00-06:00"] };
    assert.deepEqual(nextExcept(night, { cron: "0 23 * * *" }, after), []);
    const always = { times: ["00:00-12:00", "12:00-24:00"] };
    assert.deepEqual(nextExcept(always, { every: "10ms" }, after), []);
    assert.deepEqual(nextExcept({ dates: ["01-01/12-31"] }, { every: "10ms" }, after), []);
  });

  it("rises, begins after `after`, and leaves nothing out, for random jobs", () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed);
      const nowMs = randomMoment(random);
      const spec = jobSpec({ ...randomJob(random, nowMs), repeats: undefined });
      const times = nextTimes(spec, randomCalendars, { after: new Date(nowMs), count: 40 })
        .map((time) => time.getTime());
      const schedule = scheduleOf(spec, randomCalendars);
      let before = nowMs;
      for (const time of times) {
        assert.ok(time > before, `seed ${seed}: rises`);
        assert.equal(schedule.exclusionAt(time), undefined, `seed ${seed}: is not excluded`);
        const between = before + random.below(time - before);
        assert.equal(schedule.next(between), time, `seed ${seed}: whenever it is asked for`);
        before = time;
      }
    }
  });
});
