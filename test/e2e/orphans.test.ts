import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { isProcessAlive } from "../../src/lib/processes.ts";
import { poll } from "../../src/lib/wait.ts";
import { dragoman, type Quickstart, startQuickstart } from "./quickstart.ts";

let cluster: Quickstart;

before(async () => {
  cluster = await startQuickstart(["--balancer", "haproxy", "--kvdb", "redis", "--servers", "1"]);
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

/** Processes that were started with something under the cluster's directory. */
function processesOf(directory: string): readonly number[] {
  const pids = readdirSync("/proc").map(Number).filter((pid) => pid > 0 && isProcessAlive(pid));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory);
    } catch {
      return false; // it has just ended
    }
  });
}

async function killEverySupervisor(): Promise<void> {
  for (const { pid } of await cluster.components()) process.kill(pid!, "SIGKILL");
}

describe("A cluster whose every component was killed", () => {
  it("is started again by one command, and answers", async () => {
    await killEverySupervisor();

    const started = await dragoman(["quickstart", "start", cluster.directory]);
    const answer = await fetch(`${cluster.balancerUrl}/demo/hello?name=Ana`);

    assert.equal(started.exitCode, 0, started.stderr);
    assert.deepEqual(await answer.json(), { hello: "Ana" });
  });

  it("leaves nothing running after a stop", async () => {
    await killEverySupervisor();

    const stopped = await dragoman(["quickstart", "stop", cluster.directory]);
    // Workers end by themselves once their supervisor is gone.
    const gone = await poll(() => processesOf(cluster.directory).length === 0 || undefined, {
      timeoutMs: 15_000,
    });

    assert.equal(stopped.exitCode, 0, stopped.stderr);
    assert.ok(gone, `still there: ${processesOf(cluster.directory)}`);
  });

  it("can be deleted", async () => {
    await dragoman(["quickstart", "start", cluster.directory]);
    await killEverySupervisor();

    const deleted = await dragoman(["quickstart", "delete", cluster.directory, "--yes"]);

    assert.equal(deleted.exitCode, 0, deleted.stderr);
    assert.deepEqual(processesOf(`${cluster.directory}/load-balancer`), []);
    await assert.rejects(stat(cluster.directory));
  });
});
