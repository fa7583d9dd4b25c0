import { spawn } from "node:child_process";
import { isProcessAlive } from "../../../src/lib/processes.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { BackendServer } from "../../../src/load-balancer/engine.ts";
import type { HaproxySetup } from "./haproxy-setup.ts";

/** Runs an engine in a process that can be killed: prints the pid of its HAProxy. */
export function killableEngine(
  setup: HaproxySetup,
  servers: readonly BackendServer[] = [],
): Promise<{ agent: number; haproxy: number }> {
  const main = new URL("./haproxy-agent-main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["run", "-A", main], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify({ config: setup.config, paths: setup.paths, servers }));
  return new Promise((resolve, reject) => {
    child.once("exit", () => reject(new Error("the agent does not start")));
    child.stdout.once("data", (text) => {
      resolve({ agent: child.pid!, haproxy: Number(text) }); // it has printed something
    });
  });
}

/** Waits until a process is gone; undefined when it stays. */
export function untilGone(pid: number): Promise<true | undefined> {
  return poll(() => isProcessAlive(pid) ? undefined : true, { timeoutMs: 5_000, intervalMs: 10 });
}
