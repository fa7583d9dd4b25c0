import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { retryAfterMs } from "./retry-after.ts";
import { RetryBudget } from "./retry-budget.ts";

describe("A retry budget", () => {
  it("lets ten calls be repeated at once, then one for each five", () => {
    const budget = new RetryBudget();
    const take = () => Array.from({ length: 100 }, () => budget.withdraw()).filter(Boolean).length;

    assert.equal(take(), 10);
    for (let count = 0; count < 26; count++) budget.deposit();
    assert.equal(take(), 5);
    for (let count = 0; count < 1_000; count++) budget.deposit();
    assert.equal(take(), 10);
  });
});

describe("Retry-After", () => {
  it("is seconds or a date, and anything else is nothing", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    const read = (text: string) => retryAfterMs(new Headers({ "Retry-After": text }), () => now);

    assert.equal(read("3"), 3_000);
    assert.equal(read("Thu, 01 Jan 2026 00:00:05 GMT"), 5_000);
    assert.equal(read("Thu, 01 Jan 2020 00:00:05 GMT"), 0);
    for (const text of ["", "soon", "-", "99999999999999999999"]) {
      assert.equal(read(text), undefined, text);
    }
    assert.equal(retryAfterMs(new Headers()), undefined);
  });
});
