import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { isProcessAlive, processStartTicks } from "./processes.ts";

describe("Processes", () => {
  it("are alive until they have ended", async () => {
    const child = spawn("sleep", ["600"]);
    await once(child, "spawn");
    const during = isProcessAlive(child.pid!);

    child.kill("SIGKILL");
    await once(child, "exit");

    assert.deepEqual([during, isProcessAlive(child.pid!)], [true, false]);
    assert.equal(isProcessAlive(process.pid), true);
  });

  it("that nobody can have are not alive", () => {
    // 0 and negative numbers would address groups of processes, ourselves among them.
    for (const pid of [0, -1, -process.pid, 2 ** 22 + 1, 1.5, Number.NaN]) {
      assert.equal(isProcessAlive(pid), false, String(pid));
    }
  });

  it("are told apart by the time they started, where there is /proc", () => {
    const ticks = processStartTicks(process.pid);
    assert.equal(Number.isInteger(ticks), existsSync("/proc/self/stat"));
    assert.equal(processStartTicks(process.pid), ticks);
    assert.equal(processStartTicks(2 ** 22 + 1), undefined);
  });
});
