import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { RehearsalCluster } from "../../src/rehearsal/cluster.ts";
import { runScenario } from "../../src/rehearsal/drive.ts";
import { balancerChanges } from "../../src/rehearsal/scenarios/balancer-changes.ts";
import { dragoman, type Quickstart, startQuickstart } from "./quickstart.ts";

let quickstart: Quickstart;
let cluster: RehearsalCluster;

before(async () => {
  quickstart = await startQuickstart(["--balancer", "embedded"]);
  cluster = await RehearsalCluster.open(
    quickstart.directory,
    (words, { env = {} } = {}) => dragoman(words, { env: { ...env } }),
  );
});

after(async () => {
  cluster?.close();
  await quickstart?.[Symbol.asyncDispose]();
});

// With HAProxy it is one of the rehearsals.
describe("A rehearsal of balancer-changes with the embedded balancer", () => {
  it("breaks no promise", async () => {
    const report = await runScenario(balancerChanges, {
      place: { cluster, links: undefined },
      dose: { durationMs: 4_000, requestsPerSecond: 100, ticks: undefined, outageMs: 0 },
      say: () => {},
      cleanUp: true,
    });

    assert.deepEqual(report.promises.filter(({ verdict }) => verdict === "broken"), []);
    const changes = report.promises.find(({ promise }) => promise.includes("did not go live"));
    assert.match(changes?.promise ?? "", /of 10 \(embedded\)/);
  });
});
