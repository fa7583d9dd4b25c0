/** Ends the process when its parent is gone, though the main thread is busy for ever. */
import { workerData } from "node:worker_threads";

setInterval(() => {
  // A process whose parent has ended is given another one.
  if (process.ppid !== workerData) process.kill(process.pid, "SIGKILL");
}, 1_000);
