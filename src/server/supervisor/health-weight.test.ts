import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nextWeight, type Vitals } from "./health-weight.ts";

const fine: Vitals = { inFlight: 3, eventLoopDelayMs: 8, silentMs: 400 };
const slow: Vitals = { ...fine, eventLoopDelayMs: 400 };

function after(seconds: number, from: number, workers: readonly (Vitals | undefined)[]): number {
  let weight = from;
  for (let i = 0; i < seconds; i++) weight = nextWeight(weight, workers);
  return weight;
}

describe("nextWeight", () => {
  it("leaves a server alone that is well, and one with many requests that wait for others", () => {
    assert.equal(after(10, 100, [fine, { ...fine, inFlight: 150 }]), 100);
  });

  it("takes half at most for one pause, and nearly all for a lasting one", () => {
    assert.equal(nextWeight(100, [slow]), 50);
    assert.equal(after(2, 50, [fine]), 70);
    assert.equal(after(5, 100, [slow]), 10);
    assert.equal(after(20, 100, [{ ...fine, eventLoopDelayMs: 9_000 }]), 5);
  });

  it("sees a worker that is too busy to say so", () => {
    assert.equal(after(5, 100, [{ ...fine, silentMs: 3_500 }]), 5);
  });

  it("counts requests that pile up", () => {
    assert.equal(after(5, 100, [{ ...fine, inFlight: 1_000 }]), 20);
  });

  it("gives a server with a missing or slow worker the share of the others", () => {
    assert.equal(after(5, 100, [fine, undefined]), 50);
    assert.equal(after(5, 100, [fine, slow]), 55);
    assert.equal(after(9, 100, []), 5);
  });

  it("rises in steps, up to the whole", () => {
    assert.equal(nextWeight(10, [fine]), 20);
    assert.equal(after(9, 10, [fine]), 100);
    assert.equal(after(30, 5, [fine]), 100);
  });

  it("does not move for noise", () => {
    const nearly = { ...fine, eventLoopDelayMs: 42 }; // 95
    assert.equal(after(5, 97, [nearly]), 97);
    assert.equal(after(5, 92, [nearly]), 92);
  });
});
