import { setImmediate } from "node:timers/promises";
import type { Clock } from "../clock.ts";

interface Sleeper {
  readonly wakeAtMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class TestClock implements Clock {
  readonly #startMs: number;
  readonly #sleepers = new Set<Sleeper>();
  #elapsedMs = 0;

  /** `start`: ISO 8601, or milliseconds since 1970. Throws a RangeError for anything else. */
  constructor(start: string | number | Date) {
    this.#startMs = new Date(start).getTime();
    if (Number.isNaN(this.#startMs)) throw new RangeError(`"${start}" is not a time`);
  }

  now(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  delay(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!(ms > 0)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const sleeper = { wakeAtMs: this.#elapsedMs + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /**
   * Lets time pass. Whoever waits is woken in order, each at its own moment, and has run on before
   * the next one is; so a service that waits three times needs one call of this.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.wakeAtMs);
      next.wake();
      await settle();
    }
    this.#elapsedMs = untilMs;
    await settle();
  }

  /** How many wait for time to pass; one for all deadlines of one length, while any may be left. */
  get waiting(): number {
    return this.#sleepers.size;
  }

  #next(untilMs: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.wakeAtMs > untilMs) continue;
      if (first === undefined || sleeper.wakeAtMs < first.wakeAtMs) first = sleeper;
    }
    return first;
  }
}

/** Lets everything that waits for nothing but itself run on. */
async function settle(): Promise<void> {
  await setImmediate();
}
