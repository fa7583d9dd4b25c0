import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addSamples, counterKey, type CounterSamples, rateOf } from "./rates.ts";
import { sampleReadings, sampleServer, sampleWorker } from "./sample-readings.ts";

const key = counterKey.worker("server1", 0, 100);

/** Samples after looks a second apart at which the worker had counted these totals. */
function samplesOf(totals: readonly number[], pid = 100): CounterSamples {
  return totals.reduce<CounterSamples>((samples, requestsTotal, second) => {
    const at = new Date(1_000_000 + second * 1000).toISOString();
    const servers = [sampleServer("server1", { workers: [sampleWorker({ requestsTotal, pid })] })];
    return addSamples(samples, sampleReadings({ at, servers }));
  }, new Map());
}

describe("rateOf", () => {
  it("is not known from one look", () => {
    assert.equal(rateOf(samplesOf([10]), key), null);
  });

  it("evens out counters that are reported less often than they are read", () => {
    assert.equal(rateOf(samplesOf([0, 0, 20, 20, 40, 50]), key), 10);
  });

  it("forgets what is older than its window", () => {
    assert.equal(rateOf(samplesOf([0, 1000, 1000, 1000, 1000, 1000, 1000]), key), 0);
  });

  it("starts anew when a counter does", () => {
    assert.equal(rateOf(samplesOf([500, 3, 5]), key), 2);
  });

  it("does not take a new process for the old one", () => {
    assert.equal(rateOf(samplesOf([500, 510], 101), key), null);
  });
});
