import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

/** What one run of the load generator measured. */
export interface Load {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
  /** Processor time of the target for one request. What else the machine does hardly touches it. */
  readonly cpuMicros: number;
}

export interface LoadOptions {
  readonly url: string;
  /** The target's process. */
  readonly pid: number;
  /** The request body, or `@` and the path of a file with it. */
  readonly body: string;
  readonly apiKey?: string;
  /** Default `application/json`. */
  readonly contentType?: string;
  /** Further headers, as `Name: value`. */
  readonly headers?: readonly string[];
  readonly seconds: number;
  readonly connections?: number;
}

const script = fileURLToPath(import.meta.resolve("./post.lua"));
const run = promisify(execFile);

/** Runs `wrk` on the second core. Throws when a single answer was not a success. */
export async function runLoad(
  { url, pid, body, apiKey = "", seconds, connections = 32, ...request }: LoadOptions,
): Promise<Load> {
  const { contentType = "application/json", headers = [] } = request;
  const before = cpuSeconds(pid);
  const { stdout } = await run("taskset", [
    ...["-c", "1", "wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--latency"],
    ...["-s", script, url, "--", body, apiKey, contentType, ...headers],
  ]);
  const failures = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(stdout);
  if (failures !== null) throw new Error(`${url} answered with failures: ${failures[0]}`);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  return {
    cpuMicros: (cpuSeconds(pid) - before) * 1e6 / requests,
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
  };
}

/** User and system time of a process and its children so far. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Fields count from the command name's closing parenthesis; a clock tick is 10 ms.
  const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
  return children.filter((child) => child.trim() !== "").map(Number).reduce(
    (sum, child) => sum + cpuSeconds(child),
    (Number(user) + Number(system)) / 100,
  );
}

/** Pins a process with all its threads to the first core. */
export async function pinToFirstCore(pid: number): Promise<void> {
  await run("taskset", ["-acp", "0", String(pid)]);
}

function milliseconds(match: RegExpExecArray | null): number {
  const factor = { us: 0.001, ms: 1, s: 1_000 }[match?.[2] ?? ""] ?? Number.NaN;
  return Number(match?.[1]) * factor;
}

/** The middle one of some numbers. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
