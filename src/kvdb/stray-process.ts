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
 * The child that an earlier run remembered and left behind, while it runs. A process that merely
 * has the same id is not it.
 */
export async function findStrayProcess(file: string): Promise<number | undefined> {
  const [pid, ticks] = (await readFile(file, "utf8").catch(() => "")).split(" ").map(Number);
  return pid && isProcessAlive(pid) && processStartTicks(pid) === ticks ? pid : undefined;
}

/** Ends such a child and returns its id; undefined when there was none. */
export async function endStrayProcess(file: string): Promise<number | undefined> {
  const pid = await findStrayProcess(file);
  if (pid === undefined) return undefined;
  process.kill(pid, "SIGTERM");
  const gone = () => (isProcessAlive(pid) ? undefined : true);
  if (await poll(gone, { timeoutMs: 10_000 }) === undefined) {
    process.kill(pid, "SIGKILL");
    await poll(gone, { timeoutMs: 10_000 });
  }
  return pid;
}
