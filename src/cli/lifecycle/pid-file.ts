import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { readTextIfThere, takeFile } from "../../lib/exclusive-file.ts";
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
  const text = await readTextIfThere(path);
  return text === undefined ? undefined : parseOwner(text);
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
  const own = `${process.pid} ${ticks} ${new Date().toISOString()}\n`;
  const holder = await takeFile(path, own, {
    mode: 0o644,
    isStale: (text) => !parseOwner(text).alive,
  });
  return holder === undefined ? undefined : parseOwner(holder);
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
