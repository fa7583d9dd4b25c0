import { availableParallelism } from "node:os";
import { PlatformError } from "../../../errors/platform-error.ts";
import type { Threads, ThreadTask } from "../../../service/threads.ts";
import { placeOfTask, type TaskPlace } from "../bundle-loader.ts";
import { TaskThread } from "./task-thread.ts";

export interface ThreadPoolOptions {
  /** Default: as many as there are processors. */
  readonly threadsMax?: number;
  /** Tasks that wait for a thread. Default 64. */
  readonly queueMax?: number;
  /** A thread that had nothing to do for so long is ended. Default 60,000. */
  readonly idleMs?: number;
}

interface WaitingTask {
  readonly place: TaskPlace;
  readonly input: unknown;
  readonly signal: AbortSignal;
  readonly resolve: (output: Promise<unknown>) => void;
}

/** For callers that were sent away because the queue was full. */
const retryAfterMs = 1_000;

/**
 * The threads of one worker. A thread has one task at a time; it is ended, and with it whatever its
 * task does, when the task's signal is aborted, and replaced when the next task needs one.
 */
export class ThreadPool implements Threads {
  readonly #threadsMax: number;
  readonly #queueMax: number;
  readonly #idleMs: number;
  readonly #idle: TaskThread[] = [];
  readonly #queue = new Set<WaitingTask>();
  #busy = 0;

  constructor(
    { threadsMax = availableParallelism(), queueMax = 64, idleMs = 60_000 }: ThreadPoolOptions = {},
  ) {
    this.#threadsMax = threadsMax;
    this.#queueMax = queueMax;
    this.#idleMs = idleMs;
  }

  /** What `Threads.run` promises; also THREAD_TASK_UNKNOWN and THREAD_CRASHED. */
  async run(task: ThreadTask, input: unknown, signal: AbortSignal): Promise<unknown> {
    const place = placeOfTask(task);
    if (place === undefined) throw new PlatformError("THREAD_TASK_UNKNOWN", { name: task.name });
    signal.throwIfAborted();
    if (this.#busy < this.#threadsMax) return await this.#start(place, input, signal);
    if (this.#queue.size >= this.#queueMax) {
      throw new PlatformError("THREAD_BUSY", {}, { retryAfterMs });
    }
    return await this.#wait(place, input, signal);
  }

  /** Ends the threads that have nothing to do. */
  close(): void {
    for (const thread of this.#idle.splice(0)) thread.end();
  }

  async #start(place: TaskPlace, input: unknown, signal: AbortSignal): Promise<unknown> {
    this.#busy++;
    const thread = this.#take();
    try {
      return await thread.run(place, input, signal);
    } finally {
      this.#busy--;
      if (thread.isAlive) this.#keep(thread);
      this.#startNext();
    }
  }

  #take(): TaskThread {
    for (let thread = this.#idle.pop(); thread !== undefined; thread = this.#idle.pop()) {
      thread.stopIdling();
      if (thread.isAlive) return thread; // what a task left behind may have ended it since
    }
    return new TaskThread();
  }

  #keep(thread: TaskThread): void {
    this.#idle.push(thread);
    thread.idle(this.#idleMs, () => {
      const index = this.#idle.indexOf(thread);
      if (index >= 0) this.#idle.splice(index, 1);
    });
  }

  #wait(place: TaskPlace, input: unknown, signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (this.#queue.delete(waiting)) reject(signal.reason);
      };
      const waiting: WaitingTask = {
        place,
        input,
        signal,
        resolve: (output) => {
          signal.removeEventListener("abort", onAbort);
          resolve(output);
        },
      };
      this.#queue.add(waiting);
      signal.addEventListener("abort", onAbort);
    });
  }

  #startNext(): void {
    for (const waiting of this.#queue) {
      if (this.#busy >= this.#threadsMax) return;
      this.#queue.delete(waiting);
      waiting.resolve(this.#start(waiting.place, waiting.input, waiting.signal));
    }
  }
}
