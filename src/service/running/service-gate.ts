import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import type { Call } from "../call.ts";

/** How many calls of a service may run and wait in one process. */
export interface GateLimits {
  readonly maxConcurrent: number;
  readonly queueMax: number;
}

/** For clients that were sent away because the queue was full. */
const retryAfterMs = 1_000;

interface Waiting {
  readonly call: Call;
  readonly admit: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Lets a bounded number of calls run at the same time, a bounded number wait in the order in which
 * they came, and sends the others away. A call whose time is over, or whose client has gone, leaves
 * the queue without having run.
 */
export class ServiceGate {
  #limits: GateLimits;
  #running = 0;
  readonly #queue = new Set<Waiting>();

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Other limits from now on; calls that already wait stay. */
  update(limits: GateLimits): void {
    this.#limits = limits;
    this.#admit();
  }

  /**
   * Takes a place, which `leave` gives back; returns a promise where it must be waited for. Throws
   * SERVICE_BUSY; rejects, having called `onDrop`, with the call's reason when it was given up.
   */
  enter(call: Call, service: string, onDrop: () => void): void | Promise<void> {
    const { maxConcurrent, queueMax } = this.#limits;
    if (this.#running < maxConcurrent) {
      this.#running++;
      return;
    }
    if (this.#queue.size >= queueMax) {
      const details = { service, running: this.#running, waiting: this.#queue.size };
      throw new PlatformError("SERVICE_BUSY", {}, { details, retryAfterMs });
    }
    return this.#wait(call, onDrop);
  }

  leave(): void {
    this.#running--;
    this.#admit();
  }

  async #wait(call: Call, onDrop: () => void): Promise<void> {
    const { signal } = call;
    const waiting = Promise.withResolvers<void>();
    const entry: Waiting = { call, admit: waiting.resolve, refuse: waiting.reject };
    const onAbort = () => {
      this.#queue.delete(entry);
      entry.refuse(isPlatformError(signal.reason) ? signal.reason : abandoned(signal.reason));
    };
    if (signal.aborted) onAbort();
    else this.#queue.add(entry);
    signal.addEventListener("abort", onAbort);
    try {
      await waiting.promise;
    } catch (error) {
      onDrop();
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #admit(): void {
    for (const entry of this.#queue) {
      if (this.#running >= this.#limits.maxConcurrent) return;
      this.#queue.delete(entry);
      // Its deadline may be noticed a moment later than it has passed.
      if (entry.call.remaining() <= 0) entry.refuse(abandoned());
      else {
        this.#running++;
        entry.admit();
      }
    }
  }
}

function abandoned(cause?: unknown): PlatformError {
  return new PlatformError("REQUEST_ABANDONED", {}, { cause });
}
