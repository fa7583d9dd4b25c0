import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backoffMs } from "./backoff.ts";

describe("backoffMs", () => {
  const highest = () => 1;
  const lowest = () => 0;

  it("doubles with every attempt up to the limit", () => {
    const options = { firstMs: 100, maxMs: 1_000, random: highest };
    const waits = [1, 2, 3, 4, 5, 6, 1_000_000].map((attempt) => backoffMs(attempt, options));
    assert.deepEqual(waits, [100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  it("spreads each wait over its upper half", () => {
    assert.deepEqual([1, 2, 3].map((n) => backoffMs(n, { random: lowest })), [50, 100, 200]);
    for (let i = 0; i < 100; i++) {
      const wait = backoffMs(3);
      assert.ok(wait >= 200 && wait <= 400, String(wait));
    }
  });

  it("ends at half a minute unless told otherwise", () => {
    assert.equal(backoffMs(50, { random: highest }), 30_000);
  });
});
