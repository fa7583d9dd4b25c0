import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { PlatformError } from "../../../errors/platform-error.ts";
import { isProcessAlive, processStartTicks } from "../../../lib/processes.ts";

/**
 * Makes sure that one process at a time writes a file, with a lock file beside it that names the
 * process. The lock of a process that died is taken over. Throws KVDB_DATA_LOCKED; returns what
 * gives the lock back.
 */
export function lockDataFile(path: string): () => void {
  const lock = `${path}.lock`;
  const mine = `${process.pid} ${processStartTicks(process.pid) ?? ""}`;
  try {
    writeFileSync(lock, mine, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    const holder = liveHolder(lock);
    if (holder !== undefined) {
      throw new PlatformError("KVDB_DATA_LOCKED", { file: path, pid: holder }, { cause: error });
    }
    writeFileSync(lock, mine, { mode: 0o600 });
  }
  return () => rmSync(lock, { force: true });
}

function liveHolder(lock: string): number | undefined {
  const [pid, ticks] = readFileSync(lock, "utf8").split(" ").map(Number);
  if (pid === undefined || !Number.isInteger(pid) || pid <= 0 || !isProcessAlive(pid)) {
    return undefined;
  }
  const now = processStartTicks(pid);
  return now === undefined || now === ticks ? pid : undefined;
}
