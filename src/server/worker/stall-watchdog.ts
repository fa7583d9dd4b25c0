import { Worker } from "node:worker_threads";
import type { LogFields } from "../../telemetry/logger.ts";
import type { ServiceSlots } from "./service-slots.ts";

/** What the watchdog's thread is started with. */
export interface StallThreadData {
  readonly memory: SharedArrayBuffer;
  readonly stallMs: number;
  /** Carried by the line that it writes. */
  readonly context: LogFields;
}

/** How often the loop is looked at within `stallMs`, by us and by the thread. */
export const looksPerStall = 10;

/**
 * Ends the process when its event loop stands still for `stallMs`, because nothing inside a
 * stalled loop could: a thread of its own watches, writes a line that names the service, and kills.
 */
export class StallWatchdog {
  readonly #slots: ServiceSlots;
  readonly #thread: Worker;
  readonly #timer: ReturnType<typeof setInterval>;
  #names = 0;
  #lastBeatAt = performance.now();
  #delayMaxMs = 0;

  constructor(
    slots: ServiceSlots,
    { stallMs, context }: { readonly stallMs: number; readonly context: LogFields },
  ) {
    this.#slots = slots;
    const workerData: StallThreadData = { memory: slots.memory, stallMs, context };
    this.#thread = new Worker(new URL("./stall-thread.ts", import.meta.url), { workerData });
    this.#thread.unref();
    const beatMs = Math.min(100, stallMs / looksPerStall);
    this.#timer = setInterval(() => this.#beat(beatMs), beatMs);
    this.#timer.unref();
  }

  /** Tells the thread of services that came since. */
  updateNames(): void {
    const { names } = this.#slots;
    if (names.length === this.#names) return;
    this.#names = names.length;
    this.#thread.postMessage(names);
  }

  /** The longest delay of the event loop since the last call, in milliseconds. */
  takeDelayMs(): number {
    const delay = this.#delayMaxMs;
    this.#delayMaxMs = 0;
    return Math.round(delay * 10) / 10;
  }

  #beat(beatMs: number): void {
    const now = performance.now();
    this.#delayMaxMs = Math.max(this.#delayMaxMs, now - this.#lastBeatAt - beatMs);
    this.#lastBeatAt = now;
    this.#slots.beat();
  }
}
