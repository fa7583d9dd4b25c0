/**
 * The process that a worker forks for thread tasks: it runs one task after the other, out of the
 * bundles that define them, and ends with its worker.
 */
import { deserialize, serialize } from "node:v8";
import { Worker } from "node:worker_threads";
import { PlatformError } from "../../../errors/platform-error.ts";
import { loadBundle } from "../bundle-loader.ts";
import { packError, type TaskMessage, type TaskOutcome } from "./messages.ts";

process.on("message", async (message: TaskMessage) => {
  process.send?.(await runTask(message));
});
process.on("disconnect", () => process.exit(0));
// Terminals and service managers tell the whole group; the worker decides what becomes of tasks.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
// While a task calculates, nothing above can happen.
new Worker(new URL("./orphan-watch.ts", import.meta.url), { workerData: process.ppid }).unref();

async function runTask({ path, name, input }: TaskMessage): Promise<TaskOutcome> {
  try {
    const { tasks } = await loadBundle(path);
    const task = tasks.get(name);
    if (task === undefined) throw new PlatformError("THREAD_TASK_UNKNOWN", { name });
    // The caller's types say that the input fits the task.
    const output = await task.run(deserialize(input) as never);
    return { ok: true, output: serialize(output) };
  } catch (error) {
    return { ok: false, error: packError(error) };
  }
}
