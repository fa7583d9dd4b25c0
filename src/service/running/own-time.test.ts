import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OwnTime } from "./own-time.ts";

function prepare() {
  let usage = { userCPUTime: 0, systemCPUTime: 0, involuntaryContextSwitches: 0 };
  const time = new OwnTime(() => usage);
  const start = 1_000;
  time.lap(start);
  const spend = (userMs: number, systemMs: number, interruptions: number) => {
    usage = {
      userCPUTime: usage.userCPUTime + userMs * 1_000,
      systemCPUTime: usage.systemCPUTime + systemMs * 1_000,
      involuntaryContextSwitches: usage.involuntaryContextSwitches + interruptions,
    };
  };
  return { time, start, spend };
}

describe("The time that a process itself was busy", () => {
  it("is the clock's while nobody interrupts it, whether it computes or waits", () => {
    const { time, start, spend } = prepare();

    spend(1, 0, 0);

    assert.equal(time.lap(start + 30), 30);
  });

  it("is the processor's when others ran meanwhile", () => {
    const { time, start, spend } = prepare();

    spend(3, 1, 2);
    assert.equal(time.lap(start + 30), 4);
    spend(50, 0, 1); // other threads of the process count too
    assert.equal(time.lap(start + 40), 10);
  });
});
