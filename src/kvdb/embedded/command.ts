import type { BlockedSessions } from "./blocked-sessions.ts";
import type { Database } from "./database.ts";
import type { Journal } from "./journal.ts";
import type { PubSub } from "./pubsub.ts";
import type { Replies } from "./replies.ts";
import type { Session } from "./session.ts";
import type { EngineSettings } from "./settings.ts";
import type { Watchers } from "./watchers.ts";

/** What COMMAND says of a command; those that the engine acts on are explained. */
export type CommandFlag =
  /** Refused while the data file cannot be written. */
  | "write"
  /** Allowed before the client has authenticated. */
  | "no_auth"
  /** Refused between MULTI and EXEC. */
  | "no_multi"
  | "readonly"
  | "denyoom"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "fast"
  | "skip_slowlog"
  | "allow_busy"
  | "no_async_loading"
  | "movablekeys";

/** What commands may use of the engine that runs them. */
export interface CommandHost {
  readonly databases: readonly Database[];
  readonly sessions: ReadonlyMap<number, Session>;
  readonly pubsub: PubSub;
  readonly watchers: Watchers;
  readonly blocked: BlockedSessions;
  readonly settings: EngineSettings;
  readonly journal: Journal | undefined;
  /** What AUTH must name; undefined when anyone may come in. As a byte string. */
  readonly password: string | undefined;
  readonly startedAtMs: number;
  readonly counters: Readonly<Record<CounterName, number>>;
  /** True between MULTI and EXEC while EXEC runs. */
  readonly inTransaction: boolean;
  /** Runs another request on behalf of the session, with no questions asked. */
  run(session: Session, args: readonly string[]): string | undefined;
  /** Runs `body` so that what it changes reaches the data file as one unit. */
  atomically<T>(body: () => T): T;
  /** Writes a change to the data file that happens outside a request of its own. */
  log(database: Database, request: readonly string[]): void;
  /** Ends the whole server. */
  shutdown(): void;
}

export type CounterName = "commands" | "connections" | "refused" | "expired" | "errors";

/** One request while it runs. */
export interface Call {
  /** The request as it came, the command's name first. */
  readonly args: readonly string[];
  readonly session: Session;
  readonly host: CommandHost;
  /** The database that the session has selected. */
  readonly db: Database;
  readonly reply: Replies;
  /**
   * What the data file gets instead of the request, for commands whose outcome depends on time or
   * chance. Only looked at when the call changed something.
   */
  log?: readonly (readonly string[])[];
}

/** One command. To add one is to add an entry to one of the tables in `commands/`. */
export interface Command {
  /** Number of arguments with the name; negative when it is a minimum. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** Position of the first key, of the last (negative: from the end), and the step between. */
  readonly keys?: readonly [first: number, last: number, step: number];
  readonly subcommands?: CommandTable;
  /** The encoded reply; undefined when the reply comes later, or not at all. */
  readonly run: (call: Call) => string | undefined;
}

/** A table of commands by lower-case name. */
export type CommandTable = Readonly<Record<string, Command>>;

type Traits = Pick<Command, "flags" | "keys">;

/** The traits that most commands on one key share. */
export const reads = { flags: ["readonly"], keys: [1, 1, 1] } as const satisfies Traits;
export const readsFast = { flags: ["readonly", "fast"], keys: [1, 1, 1] } as const satisfies Traits;
export const writes = { flags: ["write"], keys: [1, 1, 1] } as const satisfies Traits;
export const writesFast = { flags: ["write", "fast"], keys: [1, 1, 1] } as const satisfies Traits;
export const grows = { flags: ["write", "denyoom"], keys: [1, 1, 1] } as const satisfies Traits;
export const growsFast = {
  flags: ["write", "denyoom", "fast"],
  keys: [1, 1, 1],
} as const satisfies Traits;
