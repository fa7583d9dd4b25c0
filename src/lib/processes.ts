import { readFileSync } from "node:fs";

/**
 * True while a process with this id exists. Zombies do not count, unless threads of theirs are
 * still ending: until the last one has, the process keeps its memory, files and ports.
 */
export function isProcessAlive(pid: number): boolean {
  // 0 and negative numbers stand for groups of processes, our own among them.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  const stat = procStat(pid);
  return stat === undefined || stat.state !== "Z" || stat.threads > 1;
}

/**
 * When the process started, in clock ticks since boot, as /proc tells it; undefined where there is
 * no /proc. Together with the pid it names one process for ever, so that a stale pid file whose
 * number was given to another process is recognised.
 */
export function processStartTicks(pid: number): number | undefined {
  return procStat(pid)?.startTicks;
}

interface ProcStat {
  readonly state: string;
  readonly threads: number;
  readonly startTicks: number;
}

function procStat(pid: number): ProcStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name is in parentheses and may hold spaces: fields count from the last one.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return {
      state: fields[0] ?? "",
      threads: Number(fields[17]),
      startTicks: Number(fields[19]),
    };
  } catch {
    return undefined; // no /proc on this system, or the process is gone
  }
}
