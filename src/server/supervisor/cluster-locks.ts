import type { OdbLink } from "../../cluster/odb-link.ts";
import type { Requests } from "../worker/protocol.ts";

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
}

/**
 * Locks of the whole cluster for this server's workers. Those who wait for one lock queue up here
 * in order, so that a server asks the ODB for a lock once at a time, however many want it; a lock
 * that is released on this server is handed on at once.
 */
export class ClusterLocks {
  readonly #link: OdbLink;
  readonly #pollMs: number;
  readonly #queues = new Map<string, Waiter[]>();

  constructor({ link, pollMs = 250 }: ClusterLocksOptions) {
    this.#link = link;
    this.#pollMs = pollMs;
  }

  /** The token; null when somebody else held the lock for all of `waitMs`. */
  async lock({ waitMs, ...request }: LockBody): Promise<number | null> {
    const { name } = request;
    const until = performance.now() + waitMs;
    const waiter: Waiter = { wake: () => {} };
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    queue.push(waiter);
    try {
      for (;;) {
        const isFirst = queue[0] === waiter;
        if (isFirst) {
          const token = await this.#link.use((store) => store.acquireLock(request));
          if (token !== undefined) return token;
        }
        const leftMs = until - performance.now();
        if (leftMs <= 0) return null;
        const pauseMs = isFirst ? this.#pollMs * (0.5 + Math.random()) : leftMs;
        await pause(waiter, Math.min(pauseMs, leftMs));
      }
    } finally {
      queue.splice(queue.indexOf(waiter), 1);
      if (queue.length === 0) this.#queues.delete(name);
      queue[0]?.wake();
    }
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

function pause(waiter: Waiter, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    waiter.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}
