import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Drift, DriftReport } from "../../admin-api/api.ts";
import { driftText } from "./drift-text.ts";

function report(differences: readonly Drift[]): DriftReport {
  return {
    cluster: "demo",
    revision: 7,
    objects: 12,
    deployments: 1,
    servers: [
      { name: "server1", state: "up", workers: 2 },
      { name: "server2", state: "up", workers: 2 },
      { name: "server3", state: "down", workers: 0 },
    ],
    differences,
  };
}

describe("driftText", () => {
  it("says how much was looked at when nothing differs", () => {
    assert.equal(
      driftText(report([])),
      "2 servers with 4 workers run what the ODB (revision 7, 12 objects, 1 deployment) has; " +
        "stopped: server3",
    );
  });

  it("tells workers that differ alike in one line", () => {
    const orders = { server: "server2", kind: "RestChannel", name: "orders" };
    const text = "runs revision 4, ODB has revision 5";

    const lines = driftText(report([
      { ...orders, worker: 1, text },
      { ...orders, worker: 2, text },
      { ...orders, name: "bills", worker: 2, text },
      { server: "server1", kind: "Server", name: "server1", text: "is draining" },
    ])).split("\n");

    assert.deepEqual(lines, [
      "RestChannel/orders: server2 workers 1, 2 run revision 4, ODB has revision 5",
      "RestChannel/bills: server2 worker 2 runs revision 4, ODB has revision 5",
      "server1 is draining",
      "3 differences between the ODB (revision 7, 12 objects, 1 deployment) and " +
      "2 servers with 4 workers; stopped: server3",
    ]);
  });
});
