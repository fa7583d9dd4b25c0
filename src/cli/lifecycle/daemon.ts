import { spawn } from "node:child_process";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Component } from "./component.ts";
import { runtimeCommand } from "./runtime-command.ts";

/** Set for daemons, which nobody but this command line looks after. */
const daemonVariable = "DRAGOMAN_DAEMON";

/** A process that runs a component in the background. */
interface Daemon {
  readonly pid: number | undefined;
  /** Why it ended; undefined while it runs. */
  readonly code: () => string | undefined;
}

/** Whether this process was started by `spawnDaemon`. */
export function isDaemon(env: Readonly<Record<string, string | undefined>>): boolean {
  return env[daemonVariable] === "1";
}

/** Starts a component in a process of its own that outlives this one and logs to its file. */
export async function spawnDaemon(component: Component): Promise<Daemon> {
  await mkdir(dirname(component.logFile), { recursive: true });
  const log = await open(component.logFile, "a", 0o640);
  const { program, words } = runtimeCommand(["start", component.directory, "--foreground"]);
  let code: string | undefined;
  try {
    const child = spawn(program, words, {
      cwd: component.directory,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: { ...process.env, [daemonVariable]: "1" },
    });
    child.once("error", (error) => code = error.message);
    child.once("exit", (number, signal) => code = `its process ended with ${signal ?? number}`);
    child.unref();
    return { pid: child.pid, code: () => code };
  } finally {
    await log.close();
  }
}
