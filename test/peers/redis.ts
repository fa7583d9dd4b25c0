import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { findExecutable } from "../../src/lib/executables.ts";
import { findFreePort } from "../../src/lib/ports.ts";
import { poll } from "../../src/lib/wait.ts";

/** A Redis server of a test. */
export interface RedisPeer {
  /** `redis://127.0.0.1:port`, without the password. */
  readonly url: string;
  readonly password: string | undefined;
  readonly port: number;
  /** Of the process that runs now; another one after `restart`. */
  readonly pid: number;
  /** Ends it and removes its directory. May be called more than once. */
  stop(): Promise<void>;
  /** SIGKILL. What it had written stays, for `restart`. */
  kill(): Promise<void>;
  /** Starts it again, on the same port with the same data; ends it first when it runs. */
  restart(): Promise<void>;
}

/** Full path of a program of the Redis package; throws what to install when it is missing. */
export function redisProgram(name: "redis-server" | "redis-cli" | "redis-benchmark"): string {
  const program = findExecutable(name);
  if (program !== undefined) return program;
  throw new Error(`${name} is missing: apt-get install redis-server redis-tools`);
}

/** Starts redis-server on a free port with its data in a temporary directory. */
export async function startRedis(
  { password }: { readonly password?: string } = {},
): Promise<RedisPeer> {
  const program = redisProgram("redis-server");
  const port = await findFreePort();
  const directory = await mkdtemp(join(tmpdir(), "redis-peer-"));
  const config = join(directory, "redis.conf");
  const lines = ["bind 127.0.0.1", `port ${port}`, `dir ${directory}`, "appendonly yes", 'save ""'];
  if (password !== undefined) lines.push(`requirepass ${password}`);
  await writeFile(config, lines.join("\n") + "\n", { mode: 0o600 });
  let child = await launch(program, config, { port, password });
  return {
    url: `redis://127.0.0.1:${port}`,
    password,
    port,
    get pid() {
      return child.pid!;
    },
    kill: () => end(child, "SIGKILL"),
    restart: async () => {
      await end(child, "SIGTERM");
      child = await launch(program, config, { port, password });
    },
    stop: async () => {
      await end(child, "SIGTERM");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function launch(
  program: string,
  config: string,
  { port, password }: { readonly port: number; readonly password: string | undefined },
): Promise<ChildProcess> {
  const child = spawn(program, [config], { stdio: "ignore" });
  const answered = await poll(() => answers(port, password), { timeoutMs: 10_000 });
  if (answered === undefined) {
    child.kill("SIGKILL");
    throw new Error(`redis-server does not answer on port ${port}`);
  }
  return child;
}

async function answers(port: number, password: string | undefined): Promise<true | undefined> {
  const redis = new Redis({
    port,
    host: "127.0.0.1",
    ...(password === undefined ? {} : { password }),
    lazyConnect: true,
    retryStrategy: null,
  });
  redis.on("error", () => {}); // not up yet
  try {
    await redis.connect();
    await redis.ping();
    return true;
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  // A stopped (SIGSTOP) process acts on SIGTERM only when it goes on.
  child.kill(signal);
  child.kill("SIGCONT");
  await exited;
}
