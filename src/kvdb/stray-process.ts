import { readFile, rm } from "node:fs/promises";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import { isProcessAlive, processStartTicks } from "../lib/processes.ts";
import { poll } from "../lib/wait.ts";

/** Remembers a child in a file, so that whoever starts after a crash of ours can end it. */
export async function rememberProcess(file: string, pid: number): Promise<void> {
  await writeFileAtomic(file, `${pid} ${processStartTicks(pid) ?? ""}`);
}

export async function forgetProcess(file: string): Promise<void> {
  await rm(file, { force: true });
}

/**
 * Ends the child that an earlier run remembered and left behind. Returns its id when there was
 * one. A process that merely has the same id is left alone.
 */
export async function endStrayProcess(file: string): Promise<number | undefined> {
  const [pid, ticks] = (await readFile(file, "utf8").catch(() => "")).split(" ").map(Number);
  if (!pid || !isProcessAlive(pid) || processStartTicks(pid) !== ticks) return undefined;
  process.kill(pid, "SIGTERM");
  const gone = () => (isProcessAlive(pid) ? undefined : true);
  if (await poll(gone, { timeoutMs: 10_000 }) === undefined) {
    process.kill(pid, "SIGKILL");
    await poll(gone, { timeoutMs: 10_000 });
  }
  return pid;
}
