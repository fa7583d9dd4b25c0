import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { PlatformError } from "../../errors/platform-error.ts";
import { poll } from "../../lib/wait.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { sendCommand } from "./control-socket.ts";
import { alertsOf, parseMessage } from "./messages.ts";
import { endProcesses, identifyProcess, type ProcessId } from "./process-record.ts";

/** How long HAProxy may take from its start until it answers on its control socket. */
const startTimeoutMs = 10_000;

/** Last words kept for error messages. */
const lastLinesMax = 50;

/** One HAProxy in the foreground, our child. */
export interface HaproxyProcess {
  readonly id: ProcessId;
  /** What it was started with besides our own. */
  readonly environment: StartOptions["environment"];
  /** Resolves when it is gone, with why, in words. */
  readonly exited: Promise<string>;
  isRunning(): boolean;
}

export interface StartOptions {
  readonly binary: string;
  readonly configFile: string;
  readonly socket: string;
  /** Where its standard output goes: `off`, our own (`stdout`), or a file that is appended to. */
  readonly output: string;
  /** Besides our own. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Told to finish what they have once this one has taken the listening sockets from the one that
   * answers on `socket`; empty: there is none.
   */
  readonly successorOf: readonly number[];
  /** Told at once, before HAProxy answers, so that it can be found if we die now. */
  readonly onSpawned: (id: ProcessId) => Promise<void>;
  readonly logger: Logger;
}

/**
 * Starts HAProxy and resolves when it serves. When it does not, it is gone again, and the one
 * before it goes on. Throws BALANCER_START_FAILED with HAProxy's words, BALANCER_PORT_IN_USE.
 */
export async function startHaproxyProcess(options: StartOptions): Promise<HaproxyProcess> {
  const { binary, configFile, socket, successorOf, environment, logger } = options;
  const handOver = successorOf.length === 0
    ? []
    : ["-x", socket, "-sf", ...successorOf.map(String)];
  const output = await openOutput(options.output);
  const child = spawn(binary, ["-db", "-f", configFile, ...handOver], {
    // A file as it is, rather than a pipe to us: requests are logged also while no agent runs.
    stdio: ["ignore", typeof output === "string" ? output : output.fd, "pipe"],
    // A process group of its own: Ctrl-C in a terminal must reach the agent only, which drains.
    detached: true,
    env: { ...process.env, ...environment },
  });
  if (typeof output !== "string") await output.close(); // the child has its own
  const lines = collectLines(child, logger);
  const exited = whenExited(child, lines);
  let running = true;
  void exited.then(() => running = false);
  if (child.pid === undefined) throw startFailed(await exited);
  const id = identifyProcess(child.pid);
  await options.onSpawned(id);
  const ready = await poll(
    async () => !running ? false : (await servingPid(socket)) === child.pid ? true : undefined,
    { timeoutMs: startTimeoutMs, intervalMs: 10 },
  );
  if (ready) return { id, environment, exited, isRunning: () => running };
  if (running) await endProcesses([id]);
  const why = await exited;
  const taken = lines.map((line) => /\(Address already in use\).*\[(.+):(\d+)\]/.exec(line))
    .find((match) => match !== null);
  if (taken?.[1] === undefined) throw startFailed(why);
  throw new PlatformError("BALANCER_PORT_IN_USE", { host: taken[1], port: taken[2]! });
}

async function openOutput(target: string): Promise<"ignore" | "inherit" | FileHandle> {
  if (target === "off") return "ignore";
  if (target === "stdout") return "inherit";
  await mkdir(dirname(target), { recursive: true });
  return await open(target, "a", 0o640);
}

/** The pid of the HAProxy that answers on the socket; undefined when none does. */
export async function servingPid(socket: string): Promise<number | undefined> {
  const info = await sendCommand(socket, "show info").catch(() => ""); // nobody answers: none serves
  const pid = /^Pid: (\d+)$/m.exec(info)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function startFailed(reason: string): PlatformError {
  return new PlatformError("BALANCER_START_FAILED", { reason });
}

function whenExited(child: ChildProcess, lines: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    // `close` comes after the last line of standard error.
    child.once("close", (code, signal) => {
      const how = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
      resolve([alertsOf(lines), how].filter((part) => part !== "").join("; "));
    });
  });
}

function collectLines(child: ChildProcess, logger: Logger): string[] {
  const lines: string[] = [];
  // Piped by the spawn above; null only when the program could not be started.
  const stderr: Readable | null = child.stderr;
  if (stderr === null) return lines;
  createInterface({ input: stderr }).on("line", (line) => {
    lines.push(line);
    if (lines.length > lastLinesMax) lines.shift();
    const { level, text } = parseMessage(line);
    const log = level === "alert" ? logger.error : level === "warning" ? logger.warn : logger.debug;
    if (text !== "") log(`haproxy: ${text}`, { pid: child.pid });
  });
  return lines;
}
