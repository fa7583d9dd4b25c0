import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { generateToken } from "../../lib/random-secret.ts";
import { isProcessAlive, processStartTicks } from "../../lib/processes.ts";

/** The process that runs a component, as its pid file names it. */
export interface OwnerProcess {
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** False: the file is what a process left behind that died without taking its leave. */
  readonly alive: boolean;
}

/** Reads a pid file (`pid startTicks startedAt`); undefined when there is none. */
export async function readPidFile(path: string): Promise<OwnerProcess | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  const [pidText = "", ticks = "", startedAt = ""] = text.trim().split(" ");
  const pid = Number(pidText);
  // A file that was cut short by a crash names nobody.
  if (!Number.isInteger(pid) || pid <= 0) return { pid: 0, startedAt, alive: false };
  return { pid, startedAt, alive: isProcessAlive(pid) && isSameProcess(pid, ticks) };
}

/**
 * Makes this process the owner. Resolves with undefined, or with the live owner that was first.
 * A stale file is replaced; of several processes that race for it, one wins.
 */
export async function takePidFile(path: string): Promise<OwnerProcess | undefined> {
  await mkdir(dirname(path), { recursive: true });
  const ticks = processStartTicks(process.pid) ?? "-";
  const own = `${path}.${generateToken(6)}`;
  await writeFile(own, `${process.pid} ${ticks} ${new Date().toISOString()}\n`, { mode: 0o644 });
  try {
    for (;;) {
      // A link appears with its content or not at all, and never replaces another.
      if (await linkUnlessTaken(own, path)) return undefined;
      const owner = await readPidFile(path);
      if (owner?.alive === true) return owner;
      const other = owner === undefined ? undefined : await removeStale(path);
      if (other !== undefined) return other;
    }
  } finally {
    await rm(own, { force: true });
  }
}

async function linkUnlessTaken(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

// Between reading a stale file and removing it, another process may have taken its place: what was
// moved aside is looked at again, and put back when it turns out to be alive.
async function removeStale(path: string): Promise<OwnerProcess | undefined> {
  const aside = `${path}.${generateToken(6)}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  const moved = await readPidFile(aside);
  if (moved?.alive === true) await linkUnlessTaken(aside, path);
  await rm(aside, { force: true });
  return moved?.alive === true ? moved : undefined;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Takes the pid file away, unless another process owns it by now. */
export async function dropPidFile(path: string): Promise<void> {
  const owner = await readPidFile(path);
  if (owner?.pid === process.pid) await rm(path, { force: true });
}

function isSameProcess(pid: number, ticks: string): boolean {
  const now = processStartTicks(pid);
  return now === undefined || ticks === "-" || String(now) === ticks;
}
