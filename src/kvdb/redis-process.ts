import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { PlatformError } from "../errors/platform-error.ts";
import { delay, poll } from "../lib/wait.ts";
import type { Logger } from "../telemetry/logger.ts";

/** How long a server may take to load its data and answer. */
const startTimeoutMs = 60_000;
/** How long it may take to write what is left before it is killed. */
const stopTimeoutMs = 10_000;
/** Log lines that are quoted when it dies. */
const lastLinesMax = 3;

export interface RedisProcessOptions {
  readonly program: string;
  /** Everything it needs to know, so that no argument holds a secret. */
  readonly configFile: string;
  /** True once the server answers. */
  readonly isUp: () => Promise<boolean>;
  readonly logger: Logger;
}

/** A redis-server or valkey-server that runs as our child. */
export class RedisProcess {
  /** Rejects with KVDB_DIED when it ends without having been stopped. */
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #lastLines: string[] = [];
  #stopping = false;

  /** Resolves when the server answers; throws KVDB_START_FAILED and leaves nothing running. */
  static async start(options: RedisProcessOptions): Promise<RedisProcess> {
    const server = new RedisProcess(options);
    try {
      await server.#untilUp(options.isUp);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  private constructor({ program, configFile, logger }: RedisProcessOptions) {
    const child = spawn(program, [configFile], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    const failure = Promise.withResolvers<never>();
    this.failed = failure.promise;
    // Whoever does not look at it must not be ended by it.
    this.failed.catch(() => {});
    this.#exited = new Promise((resolve) => {
      // Not "exit": the last lines of the log are still on their way then.
      child.once("close", () => resolve());
      child.once("error", (error) => {
        this.#lastLines.push(error.message);
        resolve();
      });
    });
    void this.#exited.then(() => {
      if (this.#stopping) return;
      failure.reject(new PlatformError("KVDB_DIED", { reason: this.#describeEnd() }));
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => this.#forward(line, logger));
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Lets it write what is left, and waits until it is gone. May be called more than once. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
    }
    const done = new AbortController();
    const killed = delay(stopTimeoutMs, { signal: done.signal }).then(
      () => this.#child.kill("SIGKILL"),
      () => {}, // it ended in time
    );
    await this.#exited;
    done.abort();
    await killed;
  }

  async #untilUp(isUp: () => Promise<boolean>): Promise<void> {
    let ended = false;
    void this.#exited.then(() => ended = true);
    const outcome = await poll(async () => {
      if (ended) return "ended";
      return await isUp() ? "up" : undefined;
    }, { timeoutMs: startTimeoutMs });
    if (outcome === "up") return;
    const reason = outcome === "ended"
      ? this.#describeEnd()
      : `It did not answer within ${startTimeoutMs / 1000} s`;
    throw new PlatformError("KVDB_START_FAILED", { reason });
  }

  #describeEnd(): string {
    const { exitCode, signalCode } = this.#child;
    const how = signalCode === null ? `exit code ${exitCode}` : `signal ${signalCode}`;
    return [how, ...this.#lastLines].join("; ");
  }

  #forward(line: string, logger: Logger): void {
    const { level, message } = parseLogLine(line);
    if (message === "") return;
    this.#lastLines.push(message);
    if (this.#lastLines.length > lastLinesMax) this.#lastLines.shift();
    logger[level](message);
  }
}

const levels = { ".": "debug", "-": "debug", "*": "info", "#": "warn" } as const;

/** `1:M 24 Nov 2026 00:56:39.123 * Ready` -> `info`, `Ready`. */
export function parseLogLine(
  line: string,
): { readonly level: "debug" | "info" | "warn"; readonly message: string } {
  const parts = /^\d+:[A-Z] .{20,24} ([.\-*#]) (.*)$/.exec(line);
  if (parts === null) return { level: "info", message: line.trim() };
  const sign = parts[1] as keyof typeof levels; // what the pattern allows
  return { level: levels[sign], message: parts[2]! };
}
