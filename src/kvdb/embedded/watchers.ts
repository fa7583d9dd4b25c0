import type { Database } from "./database.ts";
import type { Session } from "./session.ts";

/** Which sessions WATCH which keys. */
export class Watchers {
  readonly #sessions = new Map<string, Set<Session>>();

  watch(session: Session, database: Database, key: string): void {
    if (session.watched.some((one) => one.database === database && one.key === key)) return;
    // What has expired already is no change that the session could miss.
    database.dropIfExpired(key);
    session.watched.push({ database, key });
    const id = idOf(database, key);
    this.#sessions.set(id, (this.#sessions.get(id) ?? new Set()).add(session));
  }

  /** Ends every watch of the session. */
  leave(session: Session): void {
    for (const { database, key } of session.watched) {
      const id = idOf(database, key);
      const sessions = this.#sessions.get(id);
      if (sessions?.delete(session) && sessions.size === 0) this.#sessions.delete(id);
    }
    session.watched.length = 0;
    session.watchBroken = false;
  }

  /** True when nothing that the session watches has changed or expired. */
  isIntact(session: Session): boolean {
    for (const { database, key } of session.watched) database.dropIfExpired(key);
    return !session.watchBroken;
  }

  onChanged(database: Database, key: string): void {
    if (this.#sessions.size === 0) return;
    for (const session of this.#sessions.get(idOf(database, key)) ?? []) {
      session.watchBroken = true;
    }
  }
}

function idOf(database: Database, key: string): string {
  return `${database.index}:${key}`;
}
