import type { Logger } from "../../telemetry/logger.ts";
import { BlockedSessions } from "./blocked-sessions.ts";
import type { Call, Command, CommandHost, CounterName } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { findCommand } from "./commands/table.ts";
import { Database } from "./database.ts";
import type { Journal } from "./journal.ts";
import { PubSub } from "./pubsub.ts";
import { error, queued } from "./replies.ts";
import { Session, type SessionPeer } from "./session.ts";
import type { EngineSettings } from "./settings.ts";
import { Watchers } from "./watchers.ts";

export interface EngineOptions {
  readonly settings: EngineSettings;
  readonly password: string | undefined;
  readonly logger: Logger;
  /** Called by SHUTDOWN. */
  readonly onShutdown: () => void;
  /** Unix time in ms, by which keys expire. Default: the system's. */
  readonly now?: () => number;
}

export const databaseCount = 16;

/** Commands that a RESP2 client may send while it is subscribed. */
const subscribedCommands = new Set([
  "ping",
  "subscribe",
  "unsubscribe",
  "psubscribe",
  "punsubscribe",
  "quit",
  "reset",
]);

/** Runs requests, one after another, on the data. Knows nothing of sockets and files. */
export class Engine implements CommandHost {
  readonly databases: readonly Database[];
  readonly pubsub = new PubSub();
  readonly sessions = new Map<number, Session>();
  readonly settings: EngineSettings;
  readonly password: string | undefined;
  readonly startedAtMs: number = Date.now();
  readonly blocked: BlockedSessions;
  readonly watchers = new Watchers();
  journal: Journal | undefined;
  readonly counters: Record<CounterName, number> = {
    commands: 0,
    connections: 0,
    refused: 0,
    expired: 0,
    errors: 0,
  };
  readonly #logger: Logger;
  readonly #onShutdown: () => void;
  #nextSessionId = 1;
  #changes = 0;
  /** What a running transaction has changed so far. */
  #transactionLog: { database: number; request: readonly string[] }[] | undefined;

  constructor({ settings, password, logger, onShutdown, now = Date.now }: EngineOptions) {
    this.settings = settings;
    this.password = password;
    this.#logger = logger;
    this.#onShutdown = onShutdown;
    this.blocked = new BlockedSessions((session, retry) =>
      this.#answer(retry, session.lastCommand)
    );
    const hooks = {
      now,
      changed: (database: Database, key: string) => this.#onChanged(database, key),
      expired: (database: Database, key: string) => this.#onExpired(database, key),
    };
    this.databases = Array.from({ length: databaseCount }, (_, i) => new Database(i, hooks));
  }

  /** Changes since the start, counted by key. */
  get changes(): number {
    return this.#changes;
  }

  get inTransaction(): boolean {
    return this.#transactionLog !== undefined;
  }

  openSession(peer: SessionPeer): Session {
    const id = this.#nextSessionId++;
    const session = new Session(id, peer, this.password === undefined);
    this.sessions.set(id, session);
    this.counters.connections++;
    return session;
  }

  closeSession(session: Session): void {
    this.sessions.delete(session.id);
    this.pubsub.leave(session);
    this.watchers.leave(session);
    this.blocked.leave(session);
  }

  /**
   * Answers one request. Undefined when the session now waits (`session.blocked`), or when what
   * there is to send was sent already.
   */
  execute(session: Session, args: readonly string[]): string | undefined {
    this.counters.commands++;
    session.lastActiveAtMs = Date.now();
    const found = findCommand(args);
    if (typeof found === "string") return this.#refuse(session, found);
    const { command, name } = found;
    session.lastCommand = name;
    const why = this.#whyNot(session, command, name);
    if (why !== undefined) return this.#refuse(session, why);
    if (session.transaction !== undefined && !transactionCommands.has(name)) {
      session.transaction.push(args);
      return queued;
    }
    const reply = this.#run(session, command, args);
    this.blocked.serve();
    return reply;
  }

  run(session: Session, args: readonly string[]): string | undefined {
    const found = findCommand(args);
    return typeof found === "string" ? error(found) : this.#run(session, found.command, args);
  }

  #run(session: Session, command: Command, args: readonly string[]): string | undefined {
    const db = this.databases[session.databaseIndex]!;
    const call: Call = { args, session, host: this, db, reply: session.reply };
    const before = this.#changes;
    const reply = this.#answer(() => command.run(call), args[0]!);
    if (this.#changes !== before) this.#append(db.index, call.log ?? [args]);
    return reply;
  }

  shutdown(): void {
    this.#onShutdown();
  }

  atomically<T>(body: () => T): T {
    this.#transactionLog = [];
    try {
      return body();
    } finally {
      const log = this.#transactionLog;
      this.#transactionLog = undefined;
      if (log.length > 0 && this.journal !== undefined) {
        this.journal.append(log[0]!.database, [["MULTI"]]);
        for (const { database, request } of log) this.journal.append(database, [request]);
        this.journal.append(log.at(-1)!.database, [["EXEC"]]);
      }
    }
  }

  /** Drops what has expired though nobody looks at it; called several times a second. */
  dropExpired(budgetMs: number): void {
    for (const database of this.databases) {
      if (database.expiringSize > 0) database.dropSomeExpired(budgetMs / databaseCount);
    }
    this.blocked.serve();
  }

  #whyNot(session: Session, { flags }: Command, name: string): string | undefined {
    if (!session.authenticated && !flags.includes("no_auth")) {
      return "NOAUTH Authentication required.";
    }
    if (session.transaction !== undefined && flags.includes("no_multi")) {
      return "ERR Command not allowed inside a transaction";
    }
    if (this.journal?.failure !== undefined && flags.includes("write")) {
      return `MISCONF Errors writing to the AOF file: ${this.journal.failure}`;
    }
    const listening = session.reply.version === 2 && session.subscriptionCount > 0;
    if (listening && !subscribedCommands.has(name)) {
      return `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / ` +
        "QUIT / RESET are allowed in this context";
    }
    return undefined;
  }

  #refuse(session: Session, why: string): string {
    this.counters.errors++;
    if (session.transaction !== undefined) session.transactionBroken = true;
    return error(why);
  }

  #answer(body: () => string | undefined, name: string): string | undefined {
    try {
      return body();
    } catch (failure) {
      this.counters.errors++;
      if (failure instanceof CommandError) return error(failure.message);
      this.#logger.error("A command failed", { command: name, error: failure });
      return error("ERR internal error");
    }
  }

  #append(database: number, requests: readonly (readonly string[])[]): void {
    if (this.journal === undefined) return;
    if (this.#transactionLog === undefined) this.journal.append(database, requests);
    else for (const request of requests) this.#transactionLog.push({ database, request });
  }

  log(database: Database, request: readonly string[]): void {
    this.#append(database.index, [request]);
  }

  #onChanged(database: Database, key: string): void {
    this.#changes++;
    this.watchers.onChanged(database, key);
    this.blocked.onChanged(database, key);
  }

  #onExpired(database: Database, key: string): void {
    this.counters.expired++;
    this.#append(database.index, [["DEL", key]]);
    this.watchers.onChanged(database, key);
  }
}

/** What is not queued between MULTI and EXEC. */
const transactionCommands = new Set(["exec", "discard", "multi", "watch", "quit", "reset"]);
