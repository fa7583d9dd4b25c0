import { rm } from "node:fs/promises";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { isProcessAlive } from "../../lib/processes.ts";
import { poll } from "../../lib/wait.ts";
import { type Component, kindTitle } from "./component.ts";
import { endOrphans } from "./orphans.ts";
import { type OwnerProcess, readPidFile } from "./pid-file.ts";

/** `killed`: it did not finish what it had within its limit. */
export type StopOutcome = "stopped" | "not running" | "killed";

/**
 * Stops a component: SIGTERM, then up to its drain limit and 5 s for it to finish, then SIGKILL.
 * Throws CLI_STOP_FAILED when the process is not ours to end.
 */
export async function stopComponent(
  component: Component,
  { limitMs = component.drainMs + 5_000 }: { readonly limitMs?: number } = {},
): Promise<StopOutcome> {
  const owner = await readPidFile(component.pidFile);
  if (owner?.alive !== true) {
    await rm(component.pidFile, { force: true });
    await endOrphans(component);
    return "not running";
  }
  signal(component, owner, "SIGTERM");
  if (await untilGone(component, owner, limitMs)) return "stopped";
  signal(component, owner, "SIGKILL");
  if (await untilGone(component, owner, 5_000)) {
    await endOrphans(component);
    return "killed";
  }
  throw stopFailed(component, owner, "It is still there 5 s after SIGKILL");
}

async function untilGone(
  component: Component,
  owner: OwnerProcess,
  timeoutMs: number,
): Promise<boolean> {
  const gone = await poll(async () => {
    const now = await readPidFile(component.pidFile);
    if (now?.pid === owner.pid && now.alive) return undefined;
    // The component takes its file away just before it ends; a killed one leaves it behind.
    if (isProcessAlive(owner.pid)) return undefined;
    if (now?.pid === owner.pid) await rm(component.pidFile, { force: true });
    return true;
  }, { timeoutMs, intervalMs: 25 });
  return gone === true;
}

function signal(component: Component, owner: OwnerProcess, name: "SIGTERM" | "SIGKILL"): void {
  try {
    // A daemon leads a process group; what it has started goes with it when it is killed.
    if (name === "SIGKILL" && killGroup(owner.pid)) return;
    process.kill(owner.pid, name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return;
    throw stopFailed(component, owner, reasonOf(error));
  }
}

function killGroup(pid: number): boolean {
  try {
    process.kill(-pid, "SIGKILL");
    return true;
  } catch {
    return false; // it runs in the foreground, in somebody else's group
  }
}

function stopFailed(component: Component, { pid }: OwnerProcess, reason: string): PlatformError {
  const { kind, name } = component;
  return new PlatformError("CLI_STOP_FAILED", { component: kindTitle(kind), name, pid, reason });
}
