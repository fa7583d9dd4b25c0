import { link, open, readFile, rename, rm } from "node:fs/promises";
import { PlatformError } from "../errors/platform-error.ts";
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
    const owner = (await readOwner(paths.lock))?.split(" ")[0] || "unknown";
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
  // The owner is written before the lock gets its name, so a lock never stands without one.
  const candidate = `${lock}.${process.pid}.${nextId++}`;
  const file = await open(candidate, "wx", 0o600);
  try {
    await file.writeFile(`${process.pid} ${processStartTicks(process.pid) ?? ""}`);
  } finally {
    await file.close();
  }
  try {
    await link(candidate, lock);
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    await removeStale(lock, candidate);
    return undefined;
  } finally {
    await rm(candidate, { force: true });
  }
}

/**
 * Removes a lock whose owner has ended. Between looking and removing, another process may have done
 * the same and taken the lock: so it is moved aside, looked at again, and given back if it lives.
 */
async function removeStale(lock: string, aside: string): Promise<void> {
  if (isOwned(await readOwner(lock))) return;
  try {
    await rename(lock, aside);
  } catch {
    return; // somebody else removed it first
  }
  if (isOwned(await readOwner(aside))) await link(aside, lock).catch(() => {});
}

async function readOwner(lock: string): Promise<string | undefined> {
  return await readFile(lock, "utf8").catch(() => undefined);
}

/** A missing lock counts as owned: there is nothing to remove. */
function isOwned(owner: string | undefined): boolean {
  if (owner === undefined) return true;
  const [pid, startTicks] = owner.split(" ");
  if (!isProcessAlive(Number(pid))) return false;
  return startTicks === "" || startTicks === String(processStartTicks(Number(pid)) ?? "");
}

let nextId = 0;
