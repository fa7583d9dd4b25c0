import type { Database } from "./database.ts";
import type { Session } from "./session.ts";

export interface BlockOptions {
  readonly database: Database;
  readonly keys: readonly string[];
  /** 0 waits for ever. */
  readonly timeoutMs: number;
  /** Tries again; undefined to wait on. */
  readonly retry: () => string | undefined;
  /** What the client gets when time is over. */
  readonly onTimeout: () => string;
}

/** Sessions that wait for a key to hold something, served in the order in which they came. */
export class BlockedSessions {
  readonly #run: (session: Session, retry: () => string | undefined) => string | undefined;
  readonly #waiting = new Map<string, Set<Session>>();
  readonly #changed = new Set<string>();
  #serving = false;

  constructor(
    run: (session: Session, retry: () => string | undefined) => string | undefined,
  ) {
    this.#run = run;
  }

  get count(): number {
    return new Set([...this.#waiting.values()].flatMap((sessions) => [...sessions])).size;
  }

  block(session: Session, { database, keys, timeoutMs, retry, onTimeout }: BlockOptions): void {
    const timer = timeoutMs === 0
      ? undefined
      : setTimeout(() => this.#wake(session, onTimeout()), timeoutMs);
    session.blocked = { database, keys, retry, timer };
    for (const key of keys) {
      const id = idOf(database, key);
      this.#waiting.set(id, (this.#waiting.get(id) ?? new Set()).add(session));
    }
  }

  /** The session waits no more, answered or not. */
  leave(session: Session): void {
    const { blocked } = session;
    if (blocked === undefined) return;
    clearTimeout(blocked.timer);
    session.blocked = undefined;
    for (const key of blocked.keys) {
      const id = idOf(blocked.database, key);
      const sessions = this.#waiting.get(id);
      if (sessions?.delete(session) && sessions.size === 0) this.#waiting.delete(id);
    }
  }

  onChanged(database: Database, key: string): void {
    if (this.#waiting.size === 0) return;
    const id = idOf(database, key);
    if (this.#waiting.has(id)) this.#changed.add(id);
  }

  /** Answers whom the changes since the last call allow to be answered. */
  serve(): void {
    if (this.#changed.size === 0 || this.#serving) return;
    this.#serving = true;
    try {
      // Serving one may change the key that another waits for; the set grows while it is walked.
      for (const id of this.#changed) {
        this.#changed.delete(id);
        for (const session of [...this.#waiting.get(id) ?? []]) this.#retry(session);
      }
    } finally {
      this.#serving = false;
    }
  }

  #retry(session: Session): void {
    const { blocked } = session;
    if (blocked === undefined) return;
    const reply = this.#run(session, blocked.retry);
    if (reply !== undefined) this.#wake(session, reply);
  }

  #wake(session: Session, reply: string): void {
    this.leave(session);
    session.peer.send(reply);
    session.peer.resume();
  }
}

function idOf(database: Database, key: string): string {
  return `${database.index}:${key}`;
}
