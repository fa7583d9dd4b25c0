import { readFileSync } from "node:fs";
import { isProcessAlive } from "../../lib/processes.ts";
import { poll } from "../../lib/wait.ts";

/** A component's main process and those that it started. */
export interface ProcessTree {
  readonly pid: number;
  readonly others: readonly number[];
}

/**
 * Sends a signal to all processes of a component at the same moment, as when its machine goes: to
 * the process group that a daemon leads, and to each process of one that runs in the foreground.
 * Processes that are gone already are no error.
 */
export function signalTree({ pid, others }: ProcessTree, signal: TreeSignal): void {
  if (leadsGroup(pid)) return send(-pid, signal);
  for (const one of [pid, ...others]) send(one, signal);
}

/**
 * Resolves when all processes of a component have ended, after `timeoutMs` at the latest. One that
 * was killed goes on listening until the system has taken back its memory.
 */
export async function treeGone(
  { pid, others }: ProcessTree,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<void> {
  const isGone = () => ![pid, ...others].some(isProcessAlive) || undefined;
  await poll(isGone, { timeoutMs, intervalMs: 5 });
}

type TreeSignal = "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM";

/** As `signalTree`, to one process alone. */
export function signalProcess(pid: number, signal: TreeSignal): void {
  send(pid, signal);
}

function send(target: number, signal: TreeSignal): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function leadsGroup(pid: number): boolean {
  // Signals to "group 0" and "group 1" would reach ourselves, or everybody.
  if (pid <= 1 || !isProcessAlive(pid)) return false;
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[2]) === pid;
  } catch {
    return false; // no /proc on this system
  }
}
