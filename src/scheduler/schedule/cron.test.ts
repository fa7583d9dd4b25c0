import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cron } from "croner";
import { Random } from "../../../test/simulation/random.ts";
import { createCronTimes, cronProblem } from "./cron.ts";
import { zoneOf } from "./zone.ts";

/** The next times, without seconds: `2026-03-29T01:00Z`. */
function times(expression: string, zone: string, after: string, count: number): string[] {
  const cron = createCronTimes(expression, zoneOf(zone));
  const found: string[] = [];
  let time: number | null = Date.parse(after);
  while (found.length < count) {
    time = cron.nextAfter(time);
    if (time === null) break;
    found.push(new Date(time).toISOString().replace(/:00\.000Z$/, "Z"));
  }
  return found;
}

/** A zone, its change in 2026 (UTC), an expression, and the times that follow on `after`. */
interface Change {
  readonly what: string;
  readonly zone: string;
  readonly after: string;
  readonly expression: string;
  readonly expected: readonly string[];
}

// Vienna: 29 March 02:00 CET -> 03:00 CEST at 01:00Z; 25 October 03:00 CEST -> 02:00 CET at 01:00Z.
// New York: 8 March 02:00 EST -> 03:00 EDT at 07:00Z; 1 November 02:00 EDT -> 01:00 EST at 06:00Z.
// Lord Howe: 4 October 02:00 (+10:30) -> 02:30 (+11) at 15:30Z of the 3rd; 5 April 02:00 (+11) ->
// 01:30 (+10:30) at 15:00Z of the 4th.
const changes: readonly Change[] = [
  {
    what: "Vienna, a time of day in the gap runs right after it",
    zone: "Europe/Vienna",
    after: "2026-03-28T12:00:00Z",
    expression: "30 2 * * *",
    expected: ["2026-03-29T01:00Z", "2026-03-30T00:30Z"],
  },
  {
    what: "Vienna, several in the gap run once",
    zone: "Europe/Vienna",
    after: "2026-03-28T12:00:00Z",
    expression: "*/20 2 * * *",
    expected: ["2026-03-29T01:00Z", "2026-03-30T00:00Z", "2026-03-30T00:20Z"],
  },
  {
    what: "Vienna, one in the gap and one at its end are one",
    zone: "Europe/Vienna",
    after: "2026-03-28T12:00:00Z",
    expression: "0 2,3 * * *",
    expected: ["2026-03-29T01:00Z", "2026-03-30T00:00Z", "2026-03-30T01:00Z"],
  },
  {
    what: "Vienna, every hour has no extra time at the gap",
    zone: "Europe/Vienna",
    after: "2026-03-29T00:00:00Z",
    expression: "30 * * * *",
    expected: ["2026-03-29T00:30Z", "2026-03-29T01:30Z", "2026-03-29T02:30Z"],
  },
  {
    what: "Vienna, a time of day that comes twice runs the first time",
    zone: "Europe/Vienna",
    after: "2026-10-24T12:00:00Z",
    expression: "30 2 * * *",
    expected: ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
  },
  {
    what: "Vienna, several that come twice run the first time",
    zone: "Europe/Vienna",
    after: "2026-10-24T12:00:00Z",
    expression: "0,30 1-3 * * *",
    expected: [
      "2026-10-24T23:00Z",
      "2026-10-24T23:30Z",
      "2026-10-25T00:00Z",
      "2026-10-25T00:30Z",
      "2026-10-25T02:00Z",
      "2026-10-25T02:30Z",
    ],
  },
  {
    what: "Vienna, what runs every hour does not stand still for one",
    zone: "Europe/Vienna",
    after: "2026-10-25T00:10:00Z",
    expression: "*/30 * * * *",
    expected: ["2026-10-25T00:30Z", "2026-10-25T01:00Z", "2026-10-25T01:30Z", "2026-10-25T02:00Z"],
  },
  {
    what: "New York, gap",
    zone: "America/New_York",
    after: "2026-03-07T12:00:00Z",
    expression: "15 2 * * *",
    expected: ["2026-03-08T07:00Z", "2026-03-09T06:15Z"],
  },
  {
    what: "New York, twice",
    zone: "America/New_York",
    after: "2026-10-31T12:00:00Z",
    expression: "30 1 * * *",
    expected: ["2026-11-01T05:30Z", "2026-11-02T06:30Z"],
  },
  {
    what: "Lord Howe, gap of half an hour",
    zone: "Australia/Lord_Howe",
    after: "2026-10-03T00:00:00Z",
    expression: "15,45 2 * * *",
    expected: ["2026-10-03T15:30Z", "2026-10-03T15:45Z", "2026-10-04T15:15Z"],
  },
  {
    what: "Lord Howe, half an hour twice",
    zone: "Australia/Lord_Howe",
    after: "2026-04-04T00:00:00Z",
    expression: "45 1 * * *",
    expected: ["2026-04-04T14:45Z", "2026-04-05T15:15Z"],
  },
  {
    what: "Lord Howe, every quarter of an hour goes on",
    zone: "Australia/Lord_Howe",
    after: "2026-04-04T14:40:00Z",
    expression: "*/15 * * * *",
    expected: ["2026-04-04T14:45Z", "2026-04-04T15:00Z", "2026-04-04T15:15Z", "2026-04-04T15:30Z"],
  },
  {
    what: "Apia, a day that did not exist",
    zone: "Pacific/Apia",
    after: "2011-12-29T12:00:00Z",
    expression: "0 12 * * *",
    expected: ["2011-12-29T22:00Z", "2011-12-30T10:00Z", "2011-12-30T22:00Z"],
  },
];

describe("Cron times where clocks are changed", () => {
  for (const { what, zone, after, expression, expected } of changes) {
    it(`${what}: ${expression}`, () => {
      assert.deepEqual(times(expression, zone, after, expected.length), expected);
    });
  }

  it("begin after the gap when asked in it, and never go back", () => {
    const cron = createCronTimes("30 2 * * *", zoneOf("Europe/Vienna"));
    assert.equal(
      cron.nextAfter(Date.parse("2026-03-29T01:00:00Z")),
      Date.parse("2026-03-30T00:30Z"),
    );
    // Between the two times at which clocks show 02:30.
    assert.equal(
      cron.nextAfter(Date.parse("2026-10-25T01:15:00Z")),
      Date.parse("2026-10-26T01:30Z"),
    );
  });
});

describe("Cron expressions", () => {
  const from = "2026-01-01T00:00:00Z";
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["30 0 9 1 * *", ["2026-01-01T09:00:30.000Z", "2026-02-01T09:00:30.000Z"]],
    ["0 9 * * MON-FRI", ["2026-01-01T09:00Z", "2026-01-02T09:00Z", "2026-01-05T09:00Z"]],
    ["0 0 1 FEB,jun *", ["2026-02-01T00:00Z", "2026-06-01T00:00Z"]],
    ["0 0 L * *", ["2026-01-31T00:00Z", "2026-02-28T00:00Z"]],
    ["0 0 LW * *", ["2026-01-30T00:00Z", "2026-02-27T00:00Z"]],
    ["0 0 15W 2,3,8 *", ["2026-02-16T00:00Z", "2026-03-16T00:00Z", "2026-08-14T00:00Z"]],
    ["0 0 1W * *", ["2026-02-02T00:00Z", "2026-03-02T00:00Z"]],
    ["0 0 * * FRI#2", ["2026-01-09T00:00Z", "2026-02-13T00:00Z"]],
    ["0 0 * * MON#5", ["2026-03-30T00:00Z", "2026-06-29T00:00Z"]],
    ["0 0 * * FRI#L", ["2026-01-30T00:00Z", "2026-02-27T00:00Z"]],
    ["0 0 13 * FRI", ["2026-01-02T00:00Z", "2026-01-09T00:00Z", "2026-01-13T00:00Z"]],
    ["0 0 13 * +FRI", ["2026-02-13T00:00Z", "2026-03-13T00:00Z"]],
    ["0 0 29 2 *", ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]],
    ["@hourly", ["2026-01-01T01:00Z", "2026-01-01T02:00Z"]],
    ["@daily", ["2026-01-02T00:00Z"]],
    ["@weekly", ["2026-01-04T00:00Z"]],
    ["@monthly", ["2026-02-01T00:00Z"]],
    ["@yearly", ["2027-01-01T00:00Z"]],
    ["0 0 30 2 *", []],
    ["0 0 30W 2 *", []],
    ["* * * 31 4,6 *", []],
    ["0 0 30 2 +MON", []],
  ];
  for (const [expression, expected] of cases) {
    it(expression, () => {
      assert.equal(cronProblem(expression), undefined);
      assert.deepEqual(times(expression, "UTC", from, Math.max(1, expected.length)), expected);
    });
  }

  const problems: readonly (readonly [string, RegExp])[] = [
    ["", /has 0 fields; write 5 \(minute/],
    ["* * *", /has 3 fields/],
    ["* * * * * * 2027", /has 7 fields/],
    ["61 * * * *", /Its minute is "61"; write 0-59/],
    ["61 * * * * *", /Its second is "61"/],
    ["* 24 * * *", /Its hour is "24"; write 0-23/],
    ["* * 32 * *", /Its day of month is "32"; write 1-31/],
    ["* * L-3 * *", /Its day of month is "L-3"/],
    ["* * * FOO *", /Its month is "FOO"; write 1-12 or JAN-DEC/],
    ["* * * * MON#6", /Its day of week is "MON#6"/],
    ["10-5 * * * *", /Its minute is "10-5"/],
    ["*/0 * * * *", /Its minute is "\*\/0"/],
    ["@reboot", /There is no "@reboot"; write one of @yearly/],
  ];
  for (const [expression, problem] of problems) {
    it(`refuses "${expression}"`, () => assert.match(cronProblem(expression) ?? "", problem));
  }

  it("come to the same as croner itself in zones that never change their clocks", () => {
    const random = new Random(1);
    const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!; // not empty
    for (let round = 0; round < 300; round++) {
      const expression = [
        pick(["0", "*/15", "30", "5,20"]),
        pick(["*", "0", "*/7", "10-20", "59"]),
        pick(["*", "0", "*/5", "8-17", "23"]),
        pick(["*", "*", "1", "L", "15W", "LW", "29", "*/10"]),
        pick(["*", "*", "2", "JAN-MAR", "4,9"]),
        pick(["*", "*", "MON-FRI", "SUN", "TUE#3", "FRI#L"]),
      ].join(" ");
      const after = new Date(Date.UTC(2020 + round % 12, 0, 1) + random.below(3e10));
      const expected = new Cron(expression, { timezone: "Asia/Kolkata", mode: "6-part" })
        .nextRuns(5, after).map((time) => time.getTime());
      const cron = createCronTimes(expression, zoneOf("Asia/Kolkata"));
      const found: (number | null)[] = [];
      for (let time = after.getTime(); found.length < expected.length;) {
        time = cron.nextAfter(time) ?? NaN;
        found.push(time);
      }
      assert.deepEqual(found, expected, `${expression} after ${after.toISOString()}`);
    }
  });

  it("come to the same as croner itself where clocks are changed, as far as both have a rule", () => {
    // Croner calls times fixed that have neither wildcards nor steps; ours are those with hours.
    const kinds = [
      { hours: ["1", "2", "3", "0,2", "1-3"], minutes: ["0", "30", "15,45", "59"] },
      { hours: ["*"], minutes: ["0", "30", "*/7", "*", "10-40/10"] },
    ];
    const zones = ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "America/St_Johns"];
    for (let seed = 0; seed < 400; seed++) {
      const random = new Random(seed);
      const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!; // not empty
      const { hours, minutes } = pick(kinds);
      const expression = `${pick(["0", "30"])} ${pick(minutes)} ${pick(hours)} * * *`;
      const timezone = pick(zones);
      const zone = zoneOf(timezone);
      const change = zone.spanAt(Date.UTC(2020 + random.below(20), random.below(12))).untilMs;
      const after = new Date(change - random.below(10_800_000));
      const expected = new Cron(expression, { timezone, fixedTimeRule: "no-wildcard" })
        .nextRuns(12, after).map((time) => time.toISOString());
      const cron = createCronTimes(expression, zone);
      const found: string[] = [];
      for (let time = after.getTime(); found.length < expected.length;) {
        time = cron.nextAfter(time) ?? NaN;
        found.push(new Date(time).toISOString());
      }
      assert.deepEqual(
        found,
        expected,
        `${expression} in ${timezone} after ${after.toISOString()}`,
      );
    }
  });
});
