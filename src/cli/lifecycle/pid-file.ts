import { link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { sha256Hex } from "../../lib/canonical-json.ts";
import { generateToken } from "../../lib/random-secret.ts";
import { isProcessAlive, processStartTicks } from "../../lib/processes.ts";
import { delay } from "../../lib/wait.ts";

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
  const text = await readText(path);
  return text === undefined ? undefined : parseOwner(text);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function parseOwner(text: string): OwnerProcess {
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
      const text = await readText(path);
      if (text === undefined) continue;
      const owner = parseOwner(text);
      if (owner.alive) return owner;
      await removeStale(path, text);
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

/**
 * Removes a stale file, and never a live one that has taken its place: only who holds the lock named
 * after the stale content may remove it, and while it stands, nobody can put another one there.
 */
async function removeStale(path: string, stale: string): Promise<void> {
  const lock = `${path}.${sha256Hex(stale).slice(0, 16)}.lock`;
  try {
    await mkdir(lock);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    await breakOldLock(lock);
    await delay(5);
    return;
  }
  try {
    if (await readText(path) === stale) await rm(path, { force: true });
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** A lock is held for a moment only: an old one was left behind by a crash. */
async function breakOldLock(lock: string): Promise<void> {
  const madeAt = await stat(lock).then(({ mtimeMs }) => mtimeMs, () => Date.now());
  if (Date.now() - madeAt > 10_000) await rm(lock, { recursive: true, force: true });
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
