import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** An embedded server in a process of its own, with the same shape as a Redis peer. */
export interface EmbeddedProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** `appendonly.aof`. */
  readonly dataFile: string;
  /** Lines of its log so far. */
  readonly log: readonly string[];
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

const main = fileURLToPath(new URL("./embedded-main.ts", import.meta.url));

/** `wrapper` is a shell command line that ends by running its arguments (`exec "$@"`). */
export async function startEmbedded(
  { wrapper = 'exec "$@"' }: { readonly wrapper?: string } = {},
): Promise<EmbeddedProcess> {
  const directory = await mkdtemp(join(tmpdir(), "embedded-kvdb-"));
  const log: string[] = [];
  let { child, port } = await launch(directory, 0, { wrapper, log });
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dataFile: join(directory, "appendonly.aof"),
    log,
    get pid() {
      return child.pid!;
    },
    kill: () => end(child, "SIGKILL"),
    restart: async () => {
      await end(child, "SIGTERM");
      ({ child, port } = await launch(directory, port, { wrapper, log }));
    },
    stop: async () => {
      await end(child, "SIGTERM");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function launch(
  directory: string,
  port: number,
  { wrapper, log }: { readonly wrapper: string; readonly log: string[] },
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const command = [process.execPath, "run", "--allow-all", main, directory, String(port)];
  const child = spawn("sh", ["-c", wrapper, "sh", ...command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout! });
  const ready = Promise.withResolvers<number>();
  lines.on("line", (line) => {
    if (line.startsWith("port ")) ready.resolve(Number(line.slice(5)));
    else log.push(line);
  });
  child.once("exit", () => ready.reject(new Error(`It did not start: ${log.join("\n")}`)));
  return { child, port: await ready.promise };
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill(signal);
  child.kill("SIGCONT"); // a stopped process acts on SIGTERM only when it goes on
  await exited;
}
