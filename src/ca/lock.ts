import { rm } from "node:fs/promises";
import { PlatformError } from "../errors/platform-error.ts";
import { readTextIfThere, takeFile } from "../lib/exclusive-file.ts";
import { isProcessAlive, processStartTicks } from "../lib/processes.ts";
import { poll } from "../lib/wait.ts";
import type { AuthorityPaths } from "./paths.ts";

export interface LockOptions {
  /** How long to wait for another process. Default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Runs `use` while no other process, and nothing else in this one, changes the authority. A lock
 * left behind by a process that has ended is taken over. Throws CA_BUSY.
 */
export async function withLock<T>(
  paths: AuthorityPaths,
  use: () => Promise<T>,
  { timeoutMs = 10_000 }: LockOptions = {},
): Promise<T> {
  const taken = await poll(() => tryLock(paths.lock), { timeoutMs, intervalMs: 20 });
  if (taken === undefined) {
    const owner = (await readTextIfThere(paths.lock))?.split(" ")[0] || "unknown";
    throw new PlatformError("CA_BUSY", { directory: paths.root, owner, lock: paths.lock });
  }
  try {
    return await use();
  } finally {
    await rm(paths.lock, { force: true });
  }
}

/** True when the lock is ours now; undefined when another holds it. */
async function tryLock(lock: string): Promise<true | undefined> {
  const own = `${process.pid} ${processStartTicks(process.pid) ?? ""} ${nextId++}`;
  const holder = await takeFile(lock, own, { isStale: (owner) => !isOwned(owner) });
  return holder === undefined ? true : undefined;
}

function isOwned(owner: string): boolean {
  const [pid, startTicks] = owner.split(" ");
  if (!isProcessAlive(Number(pid))) return false;
  return startTicks === "" || startTicks === String(processStartTicks(Number(pid)) ?? "");
}

let nextId = 0;
