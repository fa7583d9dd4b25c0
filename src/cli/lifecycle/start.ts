import { readFile, stat } from "node:fs/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import { poll } from "../../lib/wait.ts";
import { type Component, kindTitle } from "./component.ts";
import { spawnDaemon } from "./daemon.ts";
import { startFailedMessage } from "./foreground.ts";
import { readPidFile } from "./pid-file.ts";
import { refuseTakenPorts } from "./port-holder.ts";
import { probeComponent } from "./probe.ts";
import { stopComponent } from "./stop.ts";

export type StartOutcome = "started" | "already running";

/** How long a component may take until it answers. */
const startLimitMs = 60_000;
/** How long the children of a component that was killed may hold its ports. */
const crashPatienceMs = 8_000;

/**
 * Starts a component as a daemon and resolves when it really answers. One that runs already is
 * only waited for. Throws CLI_PORT_TAKEN, or CLI_START_FAILED with the end of its log; then
 * nothing that it started is left running.
 */
export async function startComponent(
  component: Component,
  { limitMs = startLimitMs }: { readonly limitMs?: number } = {},
): Promise<StartOutcome> {
  const owner = await readPidFile(component.pidFile);
  if (owner?.alive === true) {
    await untilAnswers(component, { limitMs, exited: () => undefined });
    return "already running";
  }
  await refuseTakenPorts(component, owner === undefined ? {} : { patienceMs: crashPatienceMs });
  const logStart = await sizeOf(component.logFile);
  const exit = await spawnDaemon(component);
  try {
    await untilAnswers(component, { limitMs, exited: exit.code });
  } catch (error) {
    const other = await readPidFile(component.pidFile);
    // Somebody else's start of the same component was faster: that one is as good.
    if (other?.alive === true && other.pid !== exit.pid) return await startComponent(component);
    await stopComponent(component, { limitMs: 5_000 });
    throw await withLog(component, error, logStart);
  }
  return "started";
}

async function untilAnswers(
  component: Component,
  { limitMs, exited }: { readonly limitMs: number; readonly exited: () => string | undefined },
): Promise<void> {
  let reason: string | undefined = "it was not asked";
  const outcome = await poll(async () => {
    const ended = exited();
    if (ended !== undefined) return ended;
    reason = await probeComponent(component);
    return reason === undefined ? "answers" : undefined;
  }, { timeoutMs: limitMs, intervalMs: 50 });
  if (outcome === "answers") return;
  throw startFailed(component, outcome ?? `no answer in ${limitMs / 1000} s: ${reason}`);
}

function startFailed(
  component: Component,
  reason: string,
  { advice, lines = [] }: { readonly advice?: string; readonly lines?: readonly string[] } = {},
): PlatformError {
  return new PlatformError("CLI_START_FAILED", {
    component: kindTitle(component.kind),
    name: component.name,
    reason,
    log: component.logFile,
  }, { details: lines, ...(advice === undefined ? {} : { advice }) });
}

/** Puts what the component itself said about its failure in the place of a bare exit code. */
async function withLog(component: Component, error: unknown, from: number): Promise<unknown> {
  const text = (await readFile(component.logFile)).subarray(from).toString("utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  const entries = lines.map(parseLogLine);
  const failure = entries.findLast((entry) => entry?.["msg"] === startFailedMessage);
  if (failure !== undefined) {
    const advice = failure["advice"];
    return startFailed(component, String(failure["reason"]), {
      ...(typeof advice === "string" ? { advice } : {}),
      lines: [`Its log is ${component.logFile}`],
    });
  }
  const errors = lines.filter((_, index) => isTelling(entries[index])).slice(-5);
  const reason = error instanceof Error ? error.message.replace(/^.* did not start: /, "") : "";
  return startFailed(component, reason, { lines: errors });
}

function isTelling(entry: Readonly<Record<string, unknown>> | undefined): boolean {
  return entry === undefined || entry["level"] === "error";
}

function parseLogLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    // Our own log lines are JSON objects; anything else is text of a program that died early.
    return value !== null && typeof value === "object"
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

async function sizeOf(file: string): Promise<number> {
  return await stat(file).then(({ size }) => size, () => 0);
}
