import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ManualClock } from "../running/fake-call.ts";
import { createTime, type Time } from "./time.ts";

const time: Time = createTime(new ManualClock(), () => new AbortController().signal);

describe("ctx.time", () => {
  const at = new Date("2026-01-31T23:30:00.250Z");
  const times: readonly [string, () => unknown, unknown][] = [
    ["now", () => time.now().toISOString(), "2026-01-31T12:00:00.000Z"],
    ["today", () => time.today(), "2026-01-31"],
    ["today elsewhere", () => time.today("Pacific/Kiritimati"), "2026-02-01"],
    ["iso", () => time.iso(at), "2026-01-31T23:30:00.250Z"],
    ["iso in a zone", () => time.iso(at, "Europe/Warsaw"), "2026-02-01T00:30:00.250+01:00"],
    [
      "iso west of it",
      () => time.iso(at, "America/New_York"),
      "2026-01-31T18:30:00.250-05:00",
    ],
    [
      "iso of half hours",
      () => time.iso(at, "Asia/Kolkata"),
      "2026-02-01T05:00:00.250+05:30",
    ],
    [
      "iso of London in winter",
      () => time.iso(at, "Europe/London"),
      "2026-01-31T23:30:00.250+00:00",
    ],
    [
      "format",
      () => time.format(at, { zone: "Europe/Warsaw", locale: "de", dateStyle: "short" }),
      "01.02.26",
    ],
    [
      "parse",
      () => time.parse("2026-01-31T13:00:00+01:00").toISOString(),
      "2026-01-31T12:00:00.000Z",
    ],
    [
      "parse without an offset",
      () => time.parse("2026-01-31 12:00").toISOString(),
      "2026-01-31T12:00:00.000Z",
    ],
    [
      "parse a date",
      () => time.parse("2024-02-29").toISOString(),
      "2024-02-29T00:00:00.000Z",
    ],
  ];
  for (const [name, read, expected] of times) {
    it(`does ${name}`, () => {
      assert.equal(read(), expected);
    });
  }

  for (
    const text of ["", "tomorrow", "31.01.2026", "2026-02-30", "2026-13-01T00:00Z", "2026-1-1"]
  ) {
    it(`does not take "${text}" for a time`, () => {
      assert.throws(() => time.parse(text), { code: "TIME_INVALID" });
    });
  }

  it("does not know zones that there are not", () => {
    assert.throws(() => time.today("Mars/Olympus"), {
      code: "TIME_INVALID",
      message: /"Mars\/Olympus" is not a time zone/,
    });
  });
});
