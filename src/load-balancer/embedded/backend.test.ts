import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../../telemetry/logger.ts";
import { Backend } from "./backend.ts";

const server = { name: "s", host: "127.0.0.1", port: 1, draining: false };

function backendAfter(checks: string, { rise = 1, fall = 1, draining = false } = {}): Backend {
  const backend = new Backend({ ...server, draining }, {
    ...{ rise, fall, logger: silentLogger },
    trust: { cluster: "test", clusterCa: undefined },
  });
  for (const check of checks) backend.note({ healthy: check === "+", reason: `check ${check}` });
  return backend;
}

describe("A backend", () => {
  const cases: readonly (readonly [checks: string, rise: number, fall: number, state: string])[] = [
    ["", 1, 1, "starting"],
    ["+", 1, 2, "up"],
    ["-", 1, 2, "starting"],
    ["--", 1, 2, "down"],
    ["++", 3, 2, "starting"],
    ["++-+", 3, 2, "starting"],
    ["++-+++", 3, 2, "up"],
    ["+-", 1, 2, "up"],
    ["+-+-", 1, 2, "up"],
    ["+--", 1, 2, "down"],
    ["+--+", 2, 2, "down"],
    ["+--+-+", 2, 2, "down"],
    ["++--++", 2, 2, "up"],
  ];
  for (const [checks, rise, fall, state] of cases) {
    it(`is ${state} after the checks "${checks}" with rise ${rise} and fall ${fall}`, () => {
      const backend = backendAfter(checks, { rise, fall });
      assert.equal(backend.describe().state, state);
      assert.equal(backend.isAvailable, state === "up");
    });
  }

  it("says why it is in its state", () => {
    assert.equal(backendAfter("").describe().reason, "Not checked yet");
    assert.equal(backendAfter("+-").describe().reason, "check -");
    assert.equal(backendAfter("+-", { fall: 2 }).describe().reason, "check +");
  });

  it("takes nothing while it drains, and is up at once when it is taken back", () => {
    const backend = backendAfter("+", { draining: true });
    const drained = [backend.describe().state, backend.isAvailable];

    backend.arrange({ draining: false });

    assert.deepEqual(drained, ["draining", false]);
    assert.deepEqual([backend.describe().state, backend.isAvailable], ["up", true]);
  });

  it("counts requests that run, each of them once", () => {
    const backend = backendAfter("+");
    const [first, second] = [backend.begin(), backend.begin()];

    first();
    first();

    const { sessionsCurrent, requestsTotal } = backend.describe();
    assert.deepEqual([sessionsCurrent, requestsTotal], [1, 2]);
    second();
    assert.equal(backend.describe().sessionsCurrent, 0);
  });
});
