import { backoffMs } from "../../lib/backoff.ts";
import { pause } from "../../lib/wait.ts";
import type { KeyStanding } from "../../odb/idempotency-types.ts";
import type { Asker } from "./request-keys.ts";

/** Of equal requests so many wait on one server; a client that repeats one has enough with that. */
const waitersMax = 100;
/** How often it is asked whether the one that is being executed has come to its end. */
const firstLookMs = 20;
const looksMs = 500;

const running: KeyStanding = { state: "running" };

export interface KeyWait {
  /** Whose request it is. */
  readonly asker: Asker;
  /** Longest wait; 0: it is asked once, unless others wait already. */
  readonly waitMs: number;
  readonly ask: () => Promise<KeyStanding>;
}

/** One who waits; the first of a queue is the one who asks, for all of them. */
interface Waiter {
  readonly asker: Asker;
  /** Ends the present pause. */
  wake: () => void;
  /** What another one was told; it holds for all equal requests. */
  standing: KeyStanding | undefined;
}

/**
 * Equal requests with one idempotency key queue up here while one of them is being executed, so
 * that a server asks the ODB once at a time, however many come.
 */
export class KeyQueues {
  readonly #queues = new Map<string, Waiter[]>();

  /**
   * What becomes of a request; `running` when its time is over, its asker has left, or too many wait
   * already. Rejects with what `ask` rejects with.
   */
  async wait(name: string, { asker, waitMs, ask }: KeyWait): Promise<KeyStanding> {
    const queue = this.#queues.get(name) ?? [];
    if (queue.length >= waitersMax) return running;
    const waiter: Waiter = { asker, wake: () => {}, standing: undefined };
    this.#queues.set(name, queue);
    queue.push(waiter);
    try {
      return await waitIn(queue, waiter, { waitMs, ask });
    } finally {
      queue.splice(queue.indexOf(waiter), 1);
      if (queue.length === 0) this.#queues.delete(name);
      queue[0]?.wake();
    }
  }

  /** Something has become of the request that was executed: the first one looks now. */
  wake(name: string): void {
    this.#queues.get(name)?.[0]?.wake();
  }

  /** Nobody waits for the answers to this asker's requests any more. */
  leave(asker: Asker): void {
    for (const queue of this.#queues.values()) {
      for (const waiter of queue) {
        if (waiter.asker === asker) tell(waiter, running);
      }
    }
  }
}

async function waitIn(
  queue: readonly Waiter[],
  waiter: Waiter,
  { waitMs, ask }: Omit<KeyWait, "asker">,
): Promise<KeyStanding> {
  const until = performance.now() + waitMs;
  for (let look = 1;; look++) {
    const isFirst = queue[0] === waiter;
    if (isFirst && (look === 1 || performance.now() < until)) {
      const standing = await ask();
      if (standing.state === "ours") return standing;
      if (standing.state !== "running") {
        for (const equal of queue) tell(equal, standing);
      }
    }
    if (waiter.standing !== undefined) return waiter.standing;
    const leftMs = until - performance.now();
    if (leftMs <= 0) return running;
    const pauseMs = isFirst ? backoffMs(look, { firstMs: firstLookMs, maxMs: looksMs }) : leftMs;
    await pause(waiter, Math.min(pauseMs, leftMs));
    if (waiter.standing !== undefined) return waiter.standing;
  }
}

function tell(waiter: Waiter, standing: KeyStanding): void {
  waiter.standing ??= standing;
  waiter.wake();
}
