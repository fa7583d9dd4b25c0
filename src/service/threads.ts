import { PlatformError } from "../errors/platform-error.ts";

/** Threads for functions that would keep the event loop busy. */
export interface Threads {
  /**
   * Runs `task` in a thread that has loaded the same bundle. Rejects with THREAD_BUSY when too many
   * wait, with the signal's reason when that is aborted (the thread is ended), and with what the
   * task throws.
   */
  run(task: ThreadTask, input: unknown, signal: AbortSignal): Promise<unknown>;
}

// Symbol.for: a bundle may carry another copy of this module.
const brand: unique symbol = Symbol.for("dragoman.thread-task");

/** A function that can run in a thread: what `defineThreadTask` makes. */
export interface ThreadTask<Input = never, Output = unknown> {
  readonly [brand]: true;
  /** Unique in its file. */
  readonly name: string;
  run(input: Input): Output | Promise<Output>;
}

/** What the author of a task writes. */
export interface ThreadTaskDefinition<Input, Output> {
  /** Unique in its file, such as `render`. */
  readonly name: string;
  /**
   * Runs in a thread of its own, in a process of its own that has loaded the file anew: it shares
   * no variables with the services around it. Input and output are copied as structuredClone does
   * it, which takes this process about 2 ms for a megabyte.
   */
  run(input: Input): Output | Promise<Output>;
}

/** What hears of the tasks that a file defines while it is loaded. */
let collector: ((task: ThreadTask) => void) | undefined;

/**
 * Makes a task for `ctx.runInThread`, for work that would hold up every other request of the
 * process: rendering, compressing, large calculations. Call it at the top level of the file, or of
 * a module that the file imports, where a thread finds it. Throws THREAD_TASK_INVALID.
 */
export function defineThreadTask<Input, Output>(
  { name, run }: ThreadTaskDefinition<Input, Output>,
): ThreadTask<Input, Output> {
  if (typeof name !== "string" || name === "" || typeof run !== "function") {
    const reason = "It needs a name and a function run";
    throw new PlatformError("THREAD_TASK_INVALID", { name: String(name), reason });
  }
  const task: ThreadTask<Input, Output> = Object.freeze({ [brand]: true as const, name, run });
  collector?.(task);
  return task;
}

/**
 * Loads a module and returns the tasks that were defined meanwhile, by name. One load at a time.
 * Throws THREAD_TASK_INVALID for two tasks of one name, and what `load` throws.
 */
export async function collectThreadTasks<Module>(
  load: () => Promise<Module>,
): Promise<{ readonly module: Module; readonly tasks: ReadonlyMap<string, ThreadTask> }> {
  const tasks = new Map<string, ThreadTask>();
  collector = (task) => {
    if (tasks.has(task.name)) {
      const reason = "The file has another task with this name";
      throw new PlatformError("THREAD_TASK_INVALID", { name: task.name, reason });
    }
    tasks.set(task.name, task);
  };
  try {
    return { module: await load(), tasks };
  } finally {
    collector = undefined;
  }
}
