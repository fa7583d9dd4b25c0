import type { DatabaseSync } from "node:sqlite";
import { sha256Hex } from "../../src/lib/canonical-json.ts";
import { generateToken } from "../../src/lib/random-secret.ts";

/** Writing down every request would cost a disk write each; this often is enough. */
const touchEveryMs = 30_000;

export interface Session {
  /** SHA-256 of the token: what the database holds, useless to whoever reads it there. */
  readonly id: string;
  readonly username: string;
  /** Every request that changes something must repeat it in `X-Dragoman-Csrf`. */
  readonly csrfToken: string;
}

export interface SessionLimits {
  /** A session that makes no request for this long has ended. */
  readonly idleMs: number;
  /** No session lives longer than this. */
  readonly absoluteMs: number;
  /** Milliseconds since 1970. Default Date.now. */
  readonly now?: () => number;
}

/** The sessions of everybody who is logged in. They outlive a restart of the console. */
export class SessionStore {
  readonly #database: DatabaseSync;
  readonly #limits: SessionLimits;
  readonly #now: () => number;

  constructor(database: DatabaseSync, limits: SessionLimits) {
    this.#database = database;
    this.#limits = limits;
    this.#now = limits.now ?? Date.now;
  }

  /** Begins a session under a new token, which goes into the cookie and nowhere else. */
  begin(username: string): { readonly token: string; readonly session: Session } {
    const now = this.#now();
    this.#purge(now);
    const token = generateToken();
    const id = sha256Hex(token);
    this.#database.prepare("INSERT INTO sessions VALUES (?, ?, ?, ?)").run(id, username, now, now);
    return { token, session: { id, username, csrfToken: csrfTokenOf(token) } };
  }

  /** The live session of a token; counts as a sign of life. */
  find(token: string): Session | undefined {
    const id = sha256Hex(token);
    const row = this.#live(id);
    if (row === undefined) return undefined;
    const now = this.#now();
    if (now - row.seenAt > touchEveryMs) {
      this.#database.prepare("UPDATE sessions SET seen_at = ? WHERE token_hash = ?").run(now, id);
    }
    return { id, username: row.username, csrfToken: csrfTokenOf(token) };
  }

  /** True while the session lives. Asking is no sign of life: a forgotten screen logs itself out. */
  isLive(id: string): boolean {
    return this.#live(id) !== undefined;
  }

  end(id: string): void {
    this.#database.prepare("DELETE FROM sessions WHERE token_hash = ?").run(id);
  }

  #live(id: string): { readonly username: string; readonly seenAt: number } | undefined {
    const row = this.#database.prepare("SELECT * FROM sessions WHERE token_hash = ?").get(id);
    if (row === undefined) return undefined;
    const seenAt = Number(row["seen_at"]);
    const now = this.#now();
    if (now - seenAt > this.#limits.idleMs) return undefined;
    if (now - Number(row["created_at"]) > this.#limits.absoluteMs) return undefined;
    return { username: String(row["username"]), seenAt };
  }

  #purge(now: number): void {
    this.#database.prepare("DELETE FROM sessions WHERE seen_at < ? OR created_at < ?")
      .run(now - this.#limits.idleMs, now - this.#limits.absoluteMs);
  }
}

/** Bound to the session without being stored: who reads the database cannot make one. */
function csrfTokenOf(token: string): string {
  return sha256Hex(`csrf:${token}`);
}
