import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { componentPaths } from "../../config/component.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import { isProcessAlive, processStartTicks } from "../../lib/processes.ts";
import { poll } from "../../lib/wait.ts";

/** One process for ever: a pid that was given to another process has another start. */
const processIdSchema = z.object({ pid: z.int().positive(), startTicks: z.int().optional() });
export type ProcessId = z.infer<typeof processIdSchema>;

const recordSchema = z.object({
  agent: processIdSchema,
  socket: z.string(),
  /** The serving one first, then those that finish what they had before a reload. */
  processes: z.array(processIdSchema),
});

/** `run/haproxy.json`: which processes are ours, for whoever comes after an agent that was killed. */
export type ProcessRecord = z.infer<typeof recordSchema>;

/** How long a process may take to be gone after each signal. */
const goneTimeoutMs = 2_000;

export function identifyProcess(pid: number): ProcessId {
  const startTicks = processStartTicks(pid);
  return startTicks === undefined ? { pid } : { pid, startTicks };
}

/** True while exactly this process runs. */
export function isSameProcessAlive({ pid, startTicks }: ProcessId): boolean {
  return isProcessAlive(pid) && (startTicks === undefined || processStartTicks(pid) === startTicks);
}

export function processRecordFile(runDirectory: string): string {
  return join(runDirectory, "haproxy.json");
}

export async function saveProcessRecord(file: string, record: ProcessRecord): Promise<void> {
  await writeFileAtomic(file, JSON.stringify(record) + "\n");
}

/**
 * What an agent that was killed left running; undefined when nothing of it is. A damaged record
 * counts as none. Throws BALANCER_ALREADY_RUNNING while that agent lives.
 */
export async function loadLeftovers(file: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined); // not there: nothing left over
  if (text === undefined) return undefined;
  const record = recordSchema.safeParse(parseJson(text)).data;
  if (record === undefined) return undefined;
  if (isSameProcessAlive(record.agent)) {
    throw new PlatformError("BALANCER_ALREADY_RUNNING", { pid: record.agent.pid });
  }
  const processes = record.processes.filter(isSameProcessAlive);
  return processes.length === 0 ? undefined : { ...record, processes };
}

/** Ends processes at once and resolves when they are gone. */
export async function endProcesses(processes: readonly ProcessId[]): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const one of processes.filter(isSameProcessAlive)) sendSignal(one, signal);
    const gone = await poll(
      () => processes.some(isSameProcessAlive) ? undefined : true,
      { timeoutMs: goneTimeoutMs, intervalMs: 20 },
    );
    if (gone) return;
  }
}

/** Sends a signal to a process that may end at any moment. */
export function sendSignal({ pid }: ProcessId, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/**
 * Ends the HAProxy that an agent which was killed left behind in a load balancer's directory, and
 * returns the pids it ended. For whoever stops or deletes the directory; starting the load balancer
 * again takes such a HAProxy over instead. Throws BALANCER_ALREADY_RUNNING while the agent lives.
 */
export async function endLeftovers(directory: string): Promise<readonly number[]> {
  const file = processRecordFile(componentPaths(directory).run);
  const leftovers = await loadLeftovers(file);
  if (leftovers !== undefined) await endProcesses(leftovers.processes);
  await rm(file, { force: true });
  return leftovers?.processes.map(({ pid }) => pid) ?? [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a damaged record tells nothing
  }
}
