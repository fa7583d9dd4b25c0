import { PlatformError } from "../../errors/platform-error.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { Backend, Session } from "./backend.ts";
import { odbError, unreachable } from "./failures.ts";

export interface PoolOptions {
  readonly backend: Backend;
  readonly connectTimeoutMs: number;
  /** Limit of one statement, and of the wait for a connection that others hold. */
  readonly queryTimeoutMs: number;
}

const closeTimeoutMs = 500;

/**
 * Lends sessions, at most `backend.maxConnections` at a time, in the order in which they are asked
 * for. With one connection it is the mutex that SQLite needs. Sessions that broke are not lent
 * again, so the pool recovers by itself once the database is back.
 */
export class SessionPool {
  readonly #options: PoolOptions;
  readonly #idle: Session[] = [];
  readonly #lent = new Set<Session>();
  readonly #waiting: (() => void)[] = [];
  #places: number;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#places = options.backend.maxConnections;
  }

  /** Throws ODB_UNREACHABLE when no connection can be had within the limits. */
  async acquire(): Promise<Session> {
    await this.#takePlace();
    try {
      const session = this.#takeIdle() ?? await this.#connect();
      this.#lent.add(session);
      return session;
    } catch (error) {
      this.#givePlace();
      throw odbError(this.#options.backend, error);
    }
  }

  release(session: Session): void {
    if (!this.#lent.delete(session)) return;
    if (this.#closed || !session.isOpen) session.destroy();
    else this.#idle.push(session);
    this.#givePlace();
  }

  /** Forgets idle sessions: after a silent database the others are as suspect as the one that hung. */
  dropIdle(): void {
    for (const session of this.#idle.splice(0)) session.destroy();
  }

  /** Closes idle sessions politely, and lent ones when they come back. */
  async close(): Promise<void> {
    this.#closed = true;
    const polite = this.#idle.splice(0).map((session) =>
      withTimeout(session.close(), closeTimeoutMs, () => new Error("The database did not answer"))
        .catch(() => session.destroy()) // a goodbye that nobody hears changes nothing
    );
    await Promise.all(polite);
  }

  async #takePlace(): Promise<void> {
    if (this.#places > 0) {
      this.#places -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    const { backend, queryTimeoutMs } = this.#options;
    try {
      await withTimeout(turn.promise, queryTimeoutMs, () => {
        const reason = `all connections were busy for ${seconds(queryTimeoutMs)}`;
        return unreachable(backend, { reason });
      });
    } catch (error) {
      const index = this.#waiting.indexOf(turn.resolve);
      // Gone from the queue: the turn came in the same moment in which the time ran out.
      if (index === -1) this.#givePlace();
      else this.#waiting.splice(index, 1);
      throw error;
    }
  }

  #givePlace(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#places += 1;
    else next();
  }

  #takeIdle(): Session | undefined {
    for (let session = this.#idle.pop(); session !== undefined; session = this.#idle.pop()) {
      if (session.isOpen) return session;
      session.destroy();
    }
    return undefined;
  }

  async #connect(): Promise<Session> {
    const { backend, connectTimeoutMs } = this.#options;
    if (this.#closed) throw unreachable(backend, { reason: "this connection to it was closed" });
    let isLate = false;
    const connecting = backend.connect().then((session) => {
      if (isLate) session.destroy();
      return session;
    });
    return await withTimeout(connecting, connectTimeoutMs, (): PlatformError => {
      isLate = true;
      connecting.catch(() => {}); // reported as a timeout already
      return unreachable(backend, { reason: `no answer within ${seconds(connectTimeoutMs)}` });
    });
  }
}

/** `1.5 s` */
export function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}
