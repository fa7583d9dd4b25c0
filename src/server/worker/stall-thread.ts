import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { createLineSink } from "../../telemetry/line-sink.ts";
import { createLogger } from "../../telemetry/logger.ts";
import { ServiceSlots } from "./service-slots.ts";
import { looksPerStall, type StallThreadData } from "./stall-watchdog.ts";

const { memory, stallMs, context }: StallThreadData = workerData;
const slots = new ServiceSlots(memory);
// Straight to the file descriptor: streams would wait for the main thread.
const logger = createLogger({ context, write: createLineSink((text) => writeSync(2, text)).write });
let names: readonly string[] = [];
let lastBeat = -1;
let missed = 0;
let beatSince = new Date();

parentPort?.on("message", (next: readonly string[]) => names = next);

// Looks are counted, not milliseconds: a process that was paused as a whole, or a machine that
// slept, has missed one look and not all of them.
setInterval(() => {
  const { beat } = slots.read();
  if (beat !== lastBeat) {
    lastBeat = beat;
    missed = 0;
    beatSince = new Date();
  } else if (++missed >= looksPerStall) {
    end();
  }
}, stallMs / looksPerStall);

function end(): void {
  const { lastEntered, running } = slots.read();
  const nameOf = (slot: number) => names[slot] || "(unnamed)";
  // The service entered last holds the loop, unless it has ended: then it is one of the others.
  const suspects = running.includes(lastEntered) ? [lastEntered] : running;
  logger.error("Event loop stalled, ending the process", {
    services: suspects.map(nameOf),
    running: running.map(nameOf),
    since: beatSince.toISOString(),
    stallMs,
  });
  process.kill(process.pid, "SIGKILL");
}
