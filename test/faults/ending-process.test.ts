import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { isProcessAlive } from "../../src/lib/processes.ts";
import { poll } from "../../src/lib/wait.ts";

/** Ends its first thread alone (exit, not exit_group): the others go on for ever. */
const program = `
  const { symbols } = Deno.dlopen("libc.so.6", {
    syscall: { parameters: ["i64", "i64"], result: "i64" },
  });
  console.log("ending");
  symbols.syscall(${process.arch === "arm64" ? 93 : 60}n, 0n);
`;

describe("A process that is ending", () => {
  it("is alive until its last thread has ended", async () => {
    const child = spawn(process.execPath, ["eval", program]);
    await once(child.stdout, "data");
    const state = () =>
      /^State:\s+(\w)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
    const isZombie = () => state() === "Z" || undefined;
    assert.ok(await poll(isZombie, { timeoutMs: 10_000, intervalMs: 5 }));
    const during = isProcessAlive(child.pid!);

    child.kill("SIGKILL");
    await once(child, "exit");

    assert.deepEqual([during, isProcessAlive(child.pid!)], [true, false]);
  });
});
