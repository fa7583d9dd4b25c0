import type { Dialect, DialectAdapter, QueryCompiler, QueryResult } from "kysely";
import type { OdbDialect } from "../types.ts";

/** One connection to a database, not yet pooled. */
export interface Session {
  /** False once the connection is known to be useless. */
  readonly isOpen: boolean;
  query(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>>;
  /** Says goodbye to the database. May hang when the database does. */
  close(): Promise<void>;
  /** Drops the connection at once, whatever it is doing. */
  destroy(): void;
}

/** What an error of a database's client library means to us. */
export type Failure =
  | { readonly type: "unreachable"; readonly reason: string; readonly advice?: string }
  | { readonly type: "no schema" }
  /** The database broke the transaction off for the sake of another one: repeat it. */
  | { readonly type: "contended"; readonly reason: string }
  | { readonly type: "duplicate"; readonly reason: string }
  | { readonly type: "refused"; readonly reason: string };

/** SQL type names and clauses that differ between databases. */
export interface ColumnTypes {
  /** Generated primary key. */
  readonly id: string;
  readonly foreignId: string;
  readonly integer: string;
  /** Up to 2^53. */
  readonly bigInteger: string;
  /** Up to 255 characters, compared byte by byte. */
  readonly name: string;
  /** ISO 8601 text. */
  readonly time: string;
  /** Text of any length, megabytes too. */
  readonly text: string;
  /** Follows the closing parenthesis of `create table`. */
  readonly tableOptions: string;
  /** True when a foreign key brings its own index. */
  readonly indexesForeignKeys: boolean;
}

/** Everything in which one database differs from the next. */
export interface Backend {
  readonly dialect: OdbDialect;
  /** Without user or password. */
  readonly address: string;
  readonly maxConnections: number;
  /** Why a statement does not return within its time limit. */
  readonly timeoutReason: string;
  /** SQL expression: the database's time, as text in UTC with milliseconds. */
  readonly now: string;
  /** The same, so many whole milliseconds later, or earlier when negative. */
  timeAfter(ms: number): string;
  /** Ends a `select` that takes rows which nobody else is taking, and leaves those others alone. */
  readonly skipTaken: string;
  /** The same, but waits for rows that others are taking. */
  readonly awaitTaken: string;
  readonly types: ColumnTypes;
  readonly begin: {
    /** One consistent view of the data from the first to the last statement. */
    readonly read: readonly string[];
    readonly write: readonly string[];
  };
  /** Statements around a migration that keep other migrators out. */
  readonly migration: {
    readonly begin: readonly string[];
    readonly commit: readonly string[];
  };
  /**
   * What follows `insert ... values (...)`: rows whose `keys` are there already get these columns
   * of the new row instead, or stay as they are when there are no columns.
   */
  renderUpsert(keys: readonly string[], columns: readonly string[]): string;
  /** Statements that add a column to a table; for migrations, so they bear being run again. */
  addColumn(table: string, column: string, definition: string): readonly string[];
  connect(): Promise<Session>;
  failureOf(error: unknown): Failure;
  /** True while the database is still to be made by `create`. */
  isAbsent?(): boolean;
  create?(): void;
  createAdapter(): DialectAdapter;
  createQueryCompiler(): QueryCompiler;
  readonly createIntrospector: Dialect["createIntrospector"];
}
