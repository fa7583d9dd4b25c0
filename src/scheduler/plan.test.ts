import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MemoryLedger } from "../../test/scheduler/memory-ledger.ts";
import { calendar } from "./kinds/calendar.ts";
import { plan } from "./plan.ts";

const everySecond = { every: "1s" };

describe("plan", () => {
  it("plans the horizon ahead, and nothing twice", () => {
    const ledger = new MemoryLedger({ a: { every: "5s" } });
    ledger.plan("2026-01-01T00:00:00Z");
    assert.deepEqual(ledger.timesOf("a"), ["00:00:05", "00:00:10", "00:00:15"]);
    assert.equal(ledger.rows.get("a")?.nextAt, "2026-01-01T00:00:20.000Z");

    const again = ledger.plan("2026-01-01T00:00:00Z");
    assert.deepEqual([again.runs, again.progress, again.dropPlanned], [[], [], []]);
    ledger.plan("2026-01-01T00:00:04Z");
    assert.deepEqual(ledger.timesOf("a").length, 3);
    ledger.plan("2026-01-01T00:00:05Z");
    assert.equal(ledger.timesOf("a").at(-1), "00:00:20");
  });

  it("gives runs the terms of their job", () => {
    const ledger = new MemoryLedger({
      a: { every: "10s", input: { n: 1 }, attemptsMax: 3, timeoutMs: 9 },
    });
    const [run] = ledger.plan("2026-01-01T00:00:00Z").runs;
    assert.deepEqual(run?.terms, {
      service: "demo.run",
      input: { n: 1 },
      overlap: "skip",
      missed: "once",
      graceMs: 30_000,
      timeoutMs: 9,
      attemptsMax: 3,
      retryMs: 10_000,
      retryLost: false,
    });
  });

  it("counts intervals from start, and has no time before it or after end", () => {
    const ledger = new MemoryLedger({
      a: { every: "4s", start: "2026-01-01T00:00:03Z", end: "2026-01-01T00:00:11Z" },
    });
    ledger.plan("2026-01-01T00:00:00Z");
    assert.deepEqual(ledger.timesOf("a"), ["00:00:03", "00:00:07", "00:00:11"]);
    assert.equal(ledger.rows.get("a")?.nextAt, null);
    const long = new MemoryLedger({ a: { every: "4s", start: "2025-01-01T00:00:03Z" } });
    long.plan("2026-01-01T00:00:00Z", 5_000);
    assert.deepEqual(long.timesOf("a"), ["00:00:03"]);
  });

  it("counts repeats for good, whoever plans", () => {
    const ledger = new MemoryLedger({ a: { ...everySecond, repeats: 20 } });
    for (const second of [0, 3, 10, 30, 40]) ledger.plan(Date.UTC(2026, 0, 1, 0, 0, second));
    assert.equal(ledger.timesOf("a").length, 20);
    assert.equal(ledger.rows.get("a")?.plannedCount, 20);
    assert.deepEqual(ledger.plan("2026-01-02T00:00:00Z").runs, []);
  });

  it("puts times off by a jitter that stays the same", () => {
    const dueOf = () => {
      const ledger = new MemoryLedger({ a: { ...everySecond, jitterMs: 5_000 } });
      return ledger.plan("2026-01-01T00:00:00Z").runs.map(({ plannedAt, dueAt }) =>
        Date.parse(dueAt) - Date.parse(plannedAt)
      );
    };
    const delays = dueOf();
    assert.deepEqual(dueOf(), delays);
    assert.ok(delays.every((delay) => delay >= 0 && delay < 5_000));
    assert.ok(new Set(delays).size > 10, "they differ");
  });

  it("begins a changed schedule anew and leaves what was due", () => {
    const ledger = new MemoryLedger({ a: { every: "5s" } });
    ledger.plan("2026-01-01T00:00:00Z");
    ledger.setJobs({ a: { every: "7s", start: "2026-01-01T00:00:00Z" } });
    const { dropPlanned } = ledger.plan("2026-01-01T00:00:06Z");
    assert.deepEqual(dropPlanned, [{ job: "a", after: "2026-01-01T00:00:06.000Z" }]);
    assert.deepEqual(ledger.timesOf("a"), ["00:00:05", "00:00:07", "00:00:14", "00:00:21"]);
    assert.equal(ledger.rows.get("a")?.plannedCount, 3);
  });

  it("begins with the change, however late the next plan is", () => {
    const ledger = new MemoryLedger({ a: { every: "5s" }, ended: { every: "5s", repeats: 1 } });
    ledger.plan("2026-01-01T00:00:00Z");
    ledger.change("a", { every: "3s" }, "2026-01-01T00:00:06Z");
    ledger.change("new", { every: "4s", repeats: 3 }, "2026-01-01T00:00:07Z");
    ledger.change("ended", { every: "5s", repeats: 2 }, "2026-01-01T00:00:08Z");
    ledger.plan("2026-01-01T00:00:16Z", 0);
    assert.deepEqual(ledger.timesOf("a"), ["00:00:05", "00:00:09", "00:00:12", "00:00:15"]);
    assert.deepEqual(ledger.timesOf("new"), ["00:00:08", "00:00:12", "00:00:16"]);
    assert.deepEqual(ledger.timesOf("ended"), ["00:00:05", "00:00:10"]);
  });

  it("begins with the last plan when nobody had planned for long before the change", () => {
    const ledger = new MemoryLedger({ a: { every: "5s", missed: "all" } });
    ledger.plan("2026-01-01T00:00:00Z", 5_000);
    ledger.change("a", { every: "1m", missed: "all" }, "2026-01-01T00:02:30Z");
    ledger.plan("2026-01-01T00:03:00Z", 0);
    assert.deepEqual(ledger.timesOf("a"), ["00:00:05", "00:01:00", "00:02:00", "00:03:00"]);
  });

  it("gives times that are not due the new input, and counts none of them twice", () => {
    const ledger = new MemoryLedger({ a: { every: "5s", input: { n: 1 }, repeats: 5 } });
    ledger.plan("2026-01-01T00:00:00Z");
    ledger.setJobs({ a: { every: "5s", input: { n: 2 }, repeats: 5 } });
    ledger.plan("2026-01-01T00:00:06Z");
    assert.deepEqual(
      ledger.runsOf("a").map(({ plannedAt, terms }) => [plannedAt.slice(17, 19), terms.input]),
      [["05", { n: 1 }], ["10", { n: 2 }], ["15", { n: 2 }], ["20", { n: 2 }]],
    );
    ledger.plan("2026-01-01T00:01:00Z");
    assert.equal(ledger.timesOf("a").length, 5);
  });

  it("goes on after an end that is put off, without what lies between", () => {
    const ledger = new MemoryLedger({ a: { every: "5s", repeats: 2 } });
    ledger.plan("2026-01-01T00:00:00Z");
    ledger.setJobs({ a: { every: "5s", repeats: 3 } });
    ledger.plan("2026-01-01T06:00:00Z");
    assert.deepEqual(ledger.timesOf("a"), ["00:00:05", "00:00:10", "06:00:05"]);
  });

  it("drops what is planned of a job that becomes inactive, and goes on from then", () => {
    const ledger = new MemoryLedger({ a: { every: "5s", repeats: 4 } });
    ledger.plan("2026-01-01T00:00:00Z");
    ledger.begin("2026-01-01T00:00:06Z");
    ledger.setJobs({ a: { every: "5s", repeats: 4, active: false } });
    const first = ledger.plan("2026-01-01T00:00:06Z");
    assert.deepEqual(first.dropPlanned, [{ job: "a", after: null }]);
    assert.deepEqual(ledger.timesOf("a"), ["00:00:05"]);
    const second = ledger.plan("2026-01-01T00:00:06Z");
    assert.deepEqual([second.dropPlanned, second.progress], [[], []]);
    assert.equal(ledger.rows.get("a")?.nextAt, null);

    ledger.change("a", { every: "5s", repeats: 4 }, "2026-01-01T01:59:57Z");
    ledger.plan("2026-01-01T02:00:02Z");
    assert.deepEqual(ledger.timesOf("a"), ["00:00:05", "02:00:00", "02:00:05", "02:00:10"]);
    assert.equal(ledger.rows.get("a")?.nextAt, null);
  });

  it("drops what is planned of a job that is gone, once", () => {
    const ledger = new MemoryLedger({ a: { every: "5s" } });
    ledger.plan("2026-01-01T00:00:00Z");
    ledger.setJobs({});
    assert.deepEqual(ledger.plan("2026-01-01T00:00:01Z").dropPlanned, [{ job: "a", after: null }]);
    assert.deepEqual(ledger.plan("2026-01-01T00:00:02Z").dropPlanned, []);
    ledger.setJobs({ a: { every: "5s" } });
    ledger.plan("2026-01-01T01:00:00Z", 5_000);
    assert.deepEqual(ledger.timesOf("a"), ["01:00:05"]);
  });

  it("leaves alone what it cannot read", () => {
    const ledger = new MemoryLedger({ a: { every: "5s" }, b: { every: "5s", calendars: ["c"] } });
    ledger.calendars = new Map([["c", calendar.schema.parse({})]]);
    ledger.plan("2026-01-01T00:00:00Z");
    const jobs = ledger.jobs.filter(({ name }) => name === "b");
    const { rows } = ledger;
    const later = { jobs, rows, now: new Date("2026-01-01T00:00:10Z"), horizonMs: 15_000 };
    const output = plan({ ...later, calendars: new Map(), unreadable: [{ name: "a" }] });
    assert.deepEqual([output.runs, output.progress, output.dropPlanned], [[], [], []]);
    assert.deepEqual(output.alarms, [
      { job: "b", reason: 'Nothing is planned: its calendar "c" cannot be read' },
    ]);
  });

  it("plans nothing for a paused job, not even what was written in the same moment", () => {
    const ledger = new MemoryLedger({ a: { every: "5s", repeats: 4 }, b: { every: "5s" } });
    ledger.plan("2026-01-01T00:00:00Z");
    ledger.begin("2026-01-01T00:00:06Z");
    const late = new MemoryLedger({ a: { every: "5s", repeats: 4 } });
    late.rows.set("a", ledger.rows.get("a")!); // planned above
    ledger.pause("a", "2026-01-01T00:00:06Z");
    ledger.write({ ...late.plan("2026-01-01T00:00:06Z"), dropPlanned: [] });
    ledger.plan("2026-01-01T00:00:06Z");
    assert.deepEqual(ledger.timesOf("a"), ["00:00:05"]);
    assert.deepEqual(ledger.plan("2026-01-01T00:00:06Z").dropPlanned, []);
    assert.ok(ledger.timesOf("b").length > 3);

    ledger.resume("a", "2026-01-01T01:00:00Z");
    ledger.plan("2026-01-01T01:00:00Z");
    assert.deepEqual(ledger.timesOf("a"), ["00:00:05", "01:00:05", "01:00:10", "01:00:15"]);
  });

  it("says which jobs are done once their last time has come", () => {
    const ledger = new MemoryLedger({
      a: { every: "5s", repeats: 2, deactivateWhenDone: true },
      b: { every: "5s", repeats: 2 },
      c: { at: "2026-01-01T00:00:03Z", deactivateWhenDone: true },
    });
    assert.deepEqual(ledger.plan("2026-01-01T00:00:00Z").done, []);
    assert.deepEqual(ledger.plan("2026-01-01T00:00:20Z").done, ["a", "c"]);
  });

  it("plans near times of all jobs before later ones of any", () => {
    const jobs = Object.fromEntries(
      Array.from({ length: 250 }, (_, n) => [`job-${n}`, { every: "50ms" }]),
    );
    const ledger = new MemoryLedger(jobs);
    const first = ledger.plan("2026-01-01T00:00:00Z");
    assert.equal(first.isComplete, false);
    assert.equal(new Set(first.runs.map(({ job }) => job)).size, 250);
    ledger.planAll("2026-01-01T00:00:00Z");
    assert.equal(ledger.runsOf("job-0").length, 300);
    assert.equal(ledger.runsOf("job-249").length, 300);
  });
});

describe("plan, for one-time jobs", () => {
  it("plans them when they are near, once", () => {
    const ledger = new MemoryLedger({ a: { at: "2026-01-01T12:00:00+01:00" } });
    ledger.plan("2026-01-01T10:00:00Z");
    assert.deepEqual(ledger.timesOf("a"), []);
    assert.equal(ledger.rows.get("a")?.nextAt, "2026-01-01T11:00:00.000Z");
    ledger.plan("2026-01-01T10:59:50Z");
    ledger.plan("2026-01-01T11:00:50Z");
    assert.deepEqual(ledger.timesOf("a"), ["11:00:00"]);
    assert.equal(ledger.rows.get("a")?.nextAt, null);
  });

  it("whose time had passed when they were made follow their policy", () => {
    const at = "2026-01-01T00:00:00Z";
    const ledger = new MemoryLedger({
      once: { at },
      all: { at, missed: "all" },
      skip: { at, missed: "skip" },
    });
    ledger.plan("2026-02-01T00:00:00Z");
    assert.deepEqual(ledger.timesOf("once"), ["00:00:00"]);
    assert.deepEqual(ledger.timesOf("all"), ["00:00:00"]);
    assert.deepEqual(ledger.timesOf("skip"), ["-00:00:00"]);
    assert.match(ledger.runsOf("skip")[0]?.reason ?? "", /nobody planned it when it came/);
    assert.deepEqual(ledger.plan("2026-02-02T00:00:00Z").runs, []);
  });

  it("whose time came while they were paused follow it as well", () => {
    const ledger = new MemoryLedger({ a: { at: "2026-01-01T00:00:10Z" } });
    ledger.plan("2026-01-01T00:00:00Z");
    ledger.pause("a", "2026-01-01T00:00:05Z");
    ledger.plan("2026-01-01T00:00:06Z");
    assert.deepEqual(ledger.timesOf("a"), []);
    ledger.resume("a", "2026-01-01T05:00:00Z");
    ledger.plan("2026-01-01T05:00:00Z");
    assert.deepEqual(ledger.timesOf("a"), ["00:00:10"]);
  });

  it("do not run again when something else of them changes", () => {
    const ledger = new MemoryLedger({ a: { at: "2026-01-01T00:00:10Z" } });
    ledger.plan("2026-01-01T00:00:00Z");
    ledger.setJobs({ a: { at: "2026-01-01T00:00:10Z", input: { n: 1 } } });
    assert.deepEqual(ledger.plan("2026-01-01T00:01:00Z").runs, []);
    ledger.setJobs({ a: { at: "2026-01-01T00:02:10Z" } });
    assert.equal(ledger.plan("2026-01-01T00:02:00Z").runs.length, 1);
  });

  it("are skipped with a reason when a calendar excludes their time", () => {
    const ledger = new MemoryLedger({ a: { at: "2026-01-01T00:00:10Z", calendars: ["holidays"] } });
    ledger.calendars = new Map([["holidays", calendar.schema.parse({ dates: ["01-01"] })]]);
    ledger.plan("2026-01-01T00:00:00Z");
    assert.deepEqual(ledger.timesOf("a"), ["-00:00:10"]);
    assert.equal(ledger.runsOf("a")[0]?.reason, 'Calendar "holidays" excludes its time');
  });
});

describe("plan, for times that were missed", () => {
  const missedBy = (fields: Readonly<Record<string, unknown>>) => {
    const ledger = new MemoryLedger({ a: { every: "1m", graceMs: 10_000, ...fields } });
    ledger.plan("2026-01-01T00:00:30Z");
    ledger.plan("2026-01-01T00:05:30Z");
    return ledger;
  };

  it("skips them", () => {
    const ledger = missedBy({ missed: "skip" });
    assert.deepEqual(ledger.timesOf("a"), [
      "-00:01:00",
      "-00:02:00",
      "-00:03:00",
      "-00:04:00",
      "-00:05:00",
    ]);
  });

  it("runs the last one for all of them", () => {
    const ledger = missedBy({ missed: "once" });
    assert.deepEqual(ledger.timesOf("a").slice(3), ["-00:04:00", "00:05:00"]);
    assert.match(ledger.runsOf("a")[0]?.reason ?? "", /a later time .* stands for it/);
  });

  it("runs all of them, up to a limit, and says how many more there were", () => {
    const ledger = missedBy({ missed: "all", missedMax: 2 });
    assert.deepEqual(ledger.timesOf("a"), ["-00:03:00", "00:04:00", "00:05:00"]);
    assert.match(ledger.runsOf("a")[0]?.reason ?? "", /and so were 2 before it: .* last 2 /);
    assert.equal(ledger.rows.get("a")?.plannedCount, 5);
  });

  it("takes times within their grace as any other", () => {
    const ledger = missedBy({ missed: "skip", graceMs: 45_000 });
    assert.deepEqual(ledger.timesOf("a").slice(3), ["-00:04:00", "00:05:00"]);
  });

  it("counts them towards repeats", () => {
    const ledger = missedBy({ missed: "all", repeats: 3 });
    assert.deepEqual(ledger.timesOf("a"), ["00:01:00", "00:02:00", "00:03:00"]);
    assert.equal(ledger.rows.get("a")?.nextAt, null);
  });

  it("looks at the last ones only after a year away, and then goes on", () => {
    const ledger = new MemoryLedger({
      cron: { cron: "* * * * * *", missedMax: 3, missed: "all" },
      every: { every: "10ms", missedMax: 3, missed: "all" },
    });
    ledger.planAll("2025-01-01T00:00:00Z", 0);
    ledger.planAll("2026-01-01T00:00:00Z", 1_000);
    assert.deepEqual(ledger.timesOf("cron").slice(0, 4), [
      "-23:59:26",
      "23:59:27",
      "23:59:28",
      "23:59:29",
    ]);
    assert.match(ledger.runsOf("cron")[0]?.reason ?? "", /more than 9997 before it/);
    assert.equal(ledger.timesOf("cron").at(-1), "00:00:01");
    assert.equal(ledger.timesOf("every").at(-1), "00:00:01");
    assert.ok(ledger.timesOf("every").includes("23:59:59.990"));
  });
});

describe("plan, for jobs that will never run", () => {
  const alarmsOf = (fields: Readonly<Record<string, unknown>>) => {
    const ledger = new MemoryLedger({ a: fields });
    ledger.calendars = new Map([
      ["nights", calendar.schema.parse({ times: ["20:00-06:00"] })],
    ]);
    const first = ledger.plan("2026-01-01T00:00:00Z").alarms;
    assert.deepEqual(ledger.plan("2026-01-01T00:00:01Z").alarms, first, "as long as it lasts");
    return first.map(({ reason }) => reason);
  };

  it("raises an alarm", () => {
    assert.deepEqual(alarmsOf({ cron: "0 0 30 2 *" }), [
      'It has no next time: there is no date that fits "0 0 30 2 *"',
    ]);
    assert.match(alarmsOf({ cron: "0 23 * * *", calendars: ["nights"] })[0] ?? "", /"nights"/);
    assert.match(
      alarmsOf({ cron: "0 0 1 * *", end: "2026-01-15T00:00:00Z" })[0] ?? "",
      /none that fits "0 0 1 \* \*" before its end/,
    );
  });

  it("raises none for what has ended, is inactive, or is yet to come", () => {
    assert.deepEqual(alarmsOf({ at: "2025-01-01T00:00:00Z" }), []);
    assert.deepEqual(alarmsOf({ every: "1s", repeats: 1 }), []);
    assert.deepEqual(alarmsOf({ every: "1s", end: "2025-01-01T00:00:00Z" }), []);
    assert.deepEqual(alarmsOf({ cron: "0 0 30 2 *", active: false }), []);
    assert.deepEqual(alarmsOf({ cron: "0 0 29 2 *" }), []);
    assert.deepEqual(alarmsOf({ every: "1h", start: "2030-01-01T00:00:00Z" }), []);
  });
});
