import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

/** What the process says once it listens. */
export interface BackendReady {
  readonly port: number;
}

/** A small HTTP server in a process of its own, which can be killed, paused and made unhealthy. */
export interface HttpBackend {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly draining: boolean;
  readonly pid: number;
  /** Answers health checks with 200 or 503. */
  setHealthy(healthy: boolean): void;
  /** Resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

export interface HttpBackendOptions {
  readonly name: string;
  /** Default: any free port. */
  readonly port?: number;
  /** Each request's `x-id` is appended to this file before it is answered. */
  readonly ledger: string;
}

/**
 * Starts a backend: `/` and any other path answer JSON that tells server, method, url and headers
 * after the query's `ms` (default 0); `/stream` sends a chunk and the rest when asked to by
 * `/stream/release`; upgrades are echoed.
 */
export async function startHttpBackend(
  { name, port = 0, ledger }: HttpBackendOptions,
): Promise<HttpBackend> {
  const main = new URL("./http-backend-main.ts", import.meta.url).pathname;
  const child = fork(main, [name, String(port), ledger], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [ready] = await Promise.race([
    once(child, "message") as Promise<[BackendReady]>, // the only message it sends
    once(child, "exit").then(() => Promise.reject(new Error(`backend ${name} does not start`))),
  ]);
  return {
    name,
    host: "127.0.0.1",
    port: ready.port,
    draining: false,
    pid: child.pid!, // it has sent a message
    setHealthy: (healthy) => void child.send({ healthy }),
    kill: (signal = "SIGKILL") => end(child, signal),
  };
}

/** How often each request was carried out, by its `x-id`. */
export async function readLedger(ledger: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const text = await readFile(ledger, "utf8").catch(() => ""); // no request came
  for (const id of text.split("\n").filter((line) => line !== "")) {
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
}
