import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import { PlatformError } from "../../../errors/platform-error.ts";
import type { TaskPlace } from "../bundle-loader.ts";
import { type TaskMessage, type TaskOutcome, unpackError } from "./messages.ts";

/**
 * One thread for tasks: idle -> running -> idle ... -> ended. It is the main thread of a process of
 * its own, because that can be ended while it calculates, and takes nothing along when it crashes.
 * Idle, it does not keep this process alive.
 */
export class TaskThread {
  readonly #child: ChildProcess;
  #isAlive = true;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #settle: ((outcome: TaskOutcome | Error) => void) | undefined;

  constructor() {
    // Its worker's settings for very many short requests are not for one long task.
    const { DENO_V8_FLAGS: _, ...env } = process.env;
    this.#child = fork(fileURLToPath(import.meta.resolve("./task-process-main.ts")), {
      env,
      serialization: "advanced", // bytes arrive as what they are
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (outcome: TaskOutcome) => this.#settle?.(outcome));
    this.#child.on("error", ({ message }) => this.#die(message));
    this.#child.on("exit", (code, signal) => this.#die(signal ?? `exit code ${code}`));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /**
   * Runs a task. Input and output are copied as structuredClone does it. Rejects with what it
   * throws, THREAD_CRASHED, an error for values that cannot be copied, and, having ended the
   * thread, the signal's reason.
   */
  async run(place: TaskPlace, input: unknown, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const task: TaskMessage = { ...place, input: serialize(input) };
    const outcome = Promise.withResolvers<TaskOutcome | Error>();
    this.#settle = outcome.resolve;
    this.#hold();
    const onAbort = () => {
      outcome.reject(signal.reason);
      this.end();
    };
    signal.addEventListener("abort", onAbort);
    try {
      this.#child.send(task);
      const ended = await outcome.promise;
      if (ended instanceof Error) {
        throw new PlatformError("THREAD_CRASHED", { name: place.name, reason: ended.message });
      }
      if (ended.ok) return deserialize(ended.output);
      throw unpackError(ended.error);
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#settle = undefined;
      this.#release();
    }
  }

  /** Ends the thread in `ms`, unless it is used before; `onEnd` is told. */
  idle(ms: number, onEnd: () => void): void {
    this.#idleTimer = setTimeout(() => {
      onEnd();
      this.end();
    }, ms);
    this.#idleTimer.unref();
  }

  stopIdling(): void {
    clearTimeout(this.#idleTimer);
  }

  /** Ends it at once, whatever it does. */
  end(): void {
    this.#isAlive = false;
    this.stopIdling();
    this.#child.kill("SIGKILL");
  }

  #hold(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }

  #release(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }

  #die(reason: string): void {
    this.#isAlive = false;
    this.#settle?.(new Error(reason));
  }
}
