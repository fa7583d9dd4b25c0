import type { Database } from "./database.ts";
import { type Replies, resp2 } from "./replies.ts";

/** How a session reaches its client. */
export interface SessionPeer {
  /** `host:port` of the client. */
  readonly address: string;
  /** `host:port` on our side. */
  readonly localAddress: string;
  /** Sends a reply, or a message that was not asked for. */
  send(encoded: string): void;
  /** A blocked session has its reply: requests behind it may go on. */
  resume(): void;
  /** Ends the connection once what was sent has left. */
  close(): void;
}

/** A session that waits for one of some keys. */
export interface Blocked {
  readonly database: Database;
  readonly keys: readonly string[];
  /** Tries again; the encoded reply, or undefined to wait on. */
  readonly retry: () => string | undefined;
  readonly timer: ReturnType<typeof setTimeout> | undefined;
}

/** What the engine knows of one client. */
export class Session {
  readonly id: number;
  readonly peer: SessionPeer;
  readonly connectedAtMs: number = Date.now();
  lastActiveAtMs: number = Date.now();
  lastCommand = "NULL";
  name = "";
  libraryName = "";
  libraryVersion = "";
  databaseIndex = 0;
  authenticated: boolean;
  reply: Replies = resp2;
  /** Requests between MULTI and EXEC; undefined outside. */
  transaction: (readonly string[])[] | undefined;
  /** A request was refused between MULTI and EXEC. */
  transactionBroken = false;
  /** A watched key has changed. */
  watchBroken = false;
  readonly watched: { readonly database: Database; readonly key: string }[] = [];
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  blocked: Blocked | undefined;

  constructor(id: number, peer: SessionPeer, authenticated: boolean) {
    this.id = id;
    this.peer = peer;
    this.authenticated = authenticated;
  }

  get subscriptionCount(): number {
    return this.channels.size + this.patterns.size;
  }
}
