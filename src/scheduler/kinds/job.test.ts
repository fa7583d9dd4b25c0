import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { calendar } from "./calendar.ts";
import { job } from "./job.ts";

/** What is wrong with a spec, as `field: message`. */
function problems(
  schema: typeof job.schema | typeof calendar.schema,
  spec: Readonly<Record<string, unknown>>,
): string {
  const { error } = schema.safeParse(spec);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`).join();
}

describe("A Job", () => {
  it("needs a service and one of at, every and cron", () => {
    for (
      const times of [{ at: "2026-12-24T18:00:00+01:00" }, { every: "2w" }, { cron: "@daily" }]
    ) {
      assert.equal(problems(job.schema, { service: "a", ...times }), "");
    }
    assert.match(problems(job.schema, { every: "1h" }), /^service:/);
  });

  const bad: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{}, /^every: It says nothing of when to run; write one of at, every and cron$/],
    [{ every: "1h", cron: "@daily" }, /^cron: every and cron exclude one another; leave one$/],
    [{ at: "2026-02-30T10:00:00Z" }, /^at: "2026-02-30T10:00:00Z" is no time that exists/],
    [{ at: "2026-02-03T10:00:00" }, /^at: .* write it with its distance from UTC/],
    [{ at: "2026-12-24T18:00:00Z", repeats: 2 }, /^repeats: A job with at runs once/],
    [{ at: "2026-12-24T18:00:00Z", end: "2027-12-24T18:00:00Z" }, /^end: A job with at runs once/],
    [{ every: "1 hour" }, /^every: "1 hour" is no duration; write .* 1h30m/],
    [{ every: "9ms" }, /^every: 9ms is too short; write something between 10ms and 100 years$/],
    [{ cron: "0 25 * * *" }, /^cron: Its hour is "25"; write 0-23/],
    [{ cron: "0 9 * * *", timeZone: "Mars/Base" }, /^timeZone: There is no time zone "Mars\/Base"/],
    [
      { every: "1h", start: "2026-01-02T00:00:00Z", end: "2026-01-02T01:00:00+01:00" },
      /^end: .* is not later than start/,
    ],
    [{ every: "1h", repeats: 0 }, /^repeats: /],
  ];
  for (const [spec, problem] of bad) {
    it(`refuses ${JSON.stringify(spec)}`, () => {
      assert.match(problems(job.schema, { service: "a", ...spec }), problem);
    });
  }
});

describe("A Calendar", () => {
  it("takes days, yearly days, ranges of both, weekdays and times", () => {
    const spec = {
      dates: ["2028-02-29", "02-29", "2026-12-24/2027-01-06", "12-24/01-06"],
      weekdays: ["SAT", "SUN"],
      times: ["22:00-06:00", "12:00-24:00"],
      timeZone: "Europe/Vienna",
    };
    assert.equal(problems(calendar.schema, spec), "");
  });

  const bad: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ dates: ["2026-02-29"] }, /^dates.0: "2026-02-29" is no day that exists/],
    [{ dates: ["2026-02-02/2026-02-01"] }, /^dates.0: /],
    [{ dates: ["2026-02-02/03-01"] }, /^dates.0: /],
    [{ dates: ["13-01"] }, /^dates.0: /],
    [{ times: ["10:00-10:00"] }, /^times.0: "10:00-10:00" is no range of times/],
    [{ times: ["10:00-24:30"] }, /^times.0: /],
    [{ weekdays: ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] }, /^weekdays: All days/],
    [{ timeZone: "Nowhere" }, /^timeZone: There is no time zone "Nowhere"/],
  ];
  for (const [spec, problem] of bad) {
    it(`refuses ${JSON.stringify(spec)}`, () => {
      assert.match(problems(calendar.schema, spec), problem);
    });
  }
});
