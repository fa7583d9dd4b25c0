import type { OdbLink } from "../../cluster/odb-link.ts";
import { pause } from "../../lib/wait.ts";
import type { Requests } from "../worker/protocol.ts";
import type { Asker } from "./request-keys.ts";

type LockBody = Requests["lock"]["body"];

export interface ClusterLocksOptions {
  readonly link: OdbLink;
  /** How often a lock that others hold is asked for, give or take a half. Default 250. */
  readonly pollMs?: number;
}

/** One who waits; the first of a lock's queue is the one who asks the ODB. */
interface Waiter {
  /** Ends the present pause. */
  wake: () => void;
  /** Its worker process has ended: nobody would use the lock. */
  isGone: boolean;
}

/**
 * Locks of the whole cluster for this server's workers. Those who wait for one lock queue up here
 * in order, so that a server asks the ODB for a lock once at a time, however many want it; a lock
 * that is released on this server is handed on at once. Requests of a worker that has ended wait no
 * longer.
 */
export class ClusterLocks {
  readonly #link: OdbLink;
  readonly #pollMs: number;
  readonly #queues = new Map<string, Waiter[]>();
  /** What each worker waits for. */
  readonly #waiting = new Map<Asker, Set<Waiter>>();

  constructor({ link, pollMs = 250 }: ClusterLocksOptions) {
    this.#link = link;
    this.#pollMs = pollMs;
  }

  /**
   * The token; null when somebody else held the lock for all of `waitMs`, or the asker ended before
   * it was had.
   */
  async lock({ waitMs, ...request }: LockBody, asker: Asker): Promise<number | null> {
    const { name } = request;
    const until = performance.now() + waitMs;
    const waiter: Waiter = { wake: () => {}, isGone: false };
    const waiting = this.#waitingOf(asker);
    waiting.add(waiter);
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    queue.push(waiter);
    try {
      while (!waiter.isGone) {
        const isFirst = queue[0] === waiter;
        if (isFirst) {
          const token = await this.#link.use((store) => store.acquireLock(request));
          if (token !== undefined && !waiter.isGone) return token;
          // Its worker ended while the ODB was asked.
          if (token !== undefined) await this.unlock(request);
        }
        const leftMs = until - performance.now();
        if (leftMs <= 0 || waiter.isGone) return null;
        const pauseMs = isFirst ? this.#pollMs * (0.5 + Math.random()) : leftMs;
        await pause(waiter, Math.min(pauseMs, leftMs));
      }
      return null;
    } finally {
      waiting.delete(waiter);
      queue.splice(queue.indexOf(waiter), 1);
      if (queue.length === 0) this.#queues.delete(name);
      queue[0]?.wake();
    }
  }

  #waitingOf(asker: Asker): Set<Waiter> {
    const known = this.#waiting.get(asker);
    if (known !== undefined) return known;
    const waiting = new Set<Waiter>();
    this.#waiting.set(asker, waiting);
    void asker.exited.then(() => {
      this.#waiting.delete(asker);
      for (const waiter of waiting) {
        waiter.isGone = true;
        waiter.wake();
      }
    });
    return waiting;
  }

  /** False: the lock was lost. */
  renew(request: Requests["renewLock"]["body"]): Promise<boolean> {
    return this.#link.use((store) => store.renewLock(request));
  }

  /** False: the lock was lost before. */
  async unlock(request: Requests["unlock"]["body"]): Promise<boolean> {
    const released = await this.#link.use((store) => store.releaseLock(request));
    this.#queues.get(request.name)?.[0]?.wake();
    return released;
  }
}
