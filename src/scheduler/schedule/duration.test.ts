import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDuration, renderDuration } from "./duration.ts";

describe("parseDuration", () => {
  const good: readonly (readonly [string, number])[] = [
    ["1h30m", 5_400_000],
    ["2w3d", 1_468_800_000],
    ["250ms", 250],
    ["1.5s", 1_500],
    ["1w2d3h4m5s6ms", 788_645_006],
    ["0.07h", 252_000],
    ["90m", 5_400_000],
    ["0s", 0],
  ];
  for (const [text, ms] of good) {
    it(`reads ${text}`, () => assert.equal(parseDuration(text), ms));
  }

  for (const text of ["", "5", "h", "1m1h", "1h1h", "-1h", "1 h", "1H", "1.5ms", "1e3s", "PT1H"]) {
    it(`refuses "${text}"`, () => assert.equal(parseDuration(text), undefined));
  }
});

describe("renderDuration", () => {
  it("has the two largest units, and no empty one", () => {
    assert.equal(renderDuration(0), "0s");
    assert.equal(renderDuration(250), "250ms");
    assert.equal(renderDuration(59_700), "1m");
    assert.equal(renderDuration(330_400), "5m 30s");
    assert.equal(renderDuration(3_605_000), "1h");
    assert.equal(renderDuration(1_468_800_000), "2w 3d");
  });
});
