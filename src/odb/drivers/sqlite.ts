import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type QueryResult, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { reasonOf } from "../../errors/platform-error.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { delay } from "../../lib/wait.ts";
import type { Backend, Failure, Session } from "./backend.ts";
import { renderAddColumn, renderOnConflict } from "./statements.ts";
import { codeOf } from "./failures.ts";

/**
 * SQLite through `node:sqlite`: one connection a process. Between processes, writers take their
 * turn with BEGIN IMMEDIATE. A file that was moved away or replaced is noticed and opened anew.
 */
export function createSqliteBackend({ path }: { readonly path: string }): Backend {
  return {
    dialect: "sqlite",
    address: path,
    maxConnections: 1,
    timeoutReason: "another process has locked it",
    now: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
    timeAfter: (ms) => `strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '${ms / 1_000} seconds')`,
    skipTaken: "", // there is one writer at a time
    awaitTaken: "",
    types: {
      id: "integer primary key autoincrement",
      foreignId: "integer",
      integer: "integer",
      bigInteger: "integer",
      name: "text",
      time: "text",
      text: "text",
      tableOptions: "",
      indexesForeignKeys: false,
    },
    // A transaction that writes must say so at once: one that read first could not be promoted.
    begin: { read: ["begin"], write: ["begin immediate"] },
    migration: { begin: ["begin immediate"], commit: ["commit"] },
    renderUpsert: renderOnConflict,
    addColumn: renderAddColumn,
    connect: () => connect(path),
    failureOf,
    isAbsent: () => !existsSync(path) && existsSync(dirname(path)),
    create: () => createFile(path),
    createAdapter: () => new SqliteAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

async function connect(path: string): Promise<Session> {
  if (!existsSync(path)) throw new MissingFileError(path);
  const session = new SqliteSession(path);
  try {
    for (const name of ["journal_mode = wal", "synchronous = full", "foreign_keys = on"]) {
      await session.query(`pragma ${name}`, []);
    }
    return session;
  } catch (error) {
    session.destroy();
    throw error;
  }
}

class SqliteSession implements Session {
  readonly #path: string;
  readonly #inode: bigint;
  readonly #database: DatabaseSync;
  #isClosed = false;

  constructor(path: string) {
    this.#path = path;
    // No waiting inside SQLite, which would stop the whole process: we wait between attempts.
    this.#database = new DatabaseSync(path, { timeout: 0 });
    this.#inode = inodeOf(path);
  }

  get isOpen(): boolean {
    return !this.#isClosed && inodeOf(this.#path) === this.#inode;
  }

  async query(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    for (let attempt = 1;; attempt++) {
      try {
        return this.#run(sql, parameters);
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
      await delay(backoffMs(attempt, { firstMs: 4, maxMs: 100 }));
      if (!this.isOpen) throw new MissingFileError(this.#path);
    }
  }

  close(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#database.close();
  }

  #run(sql: string, parameters: readonly unknown[]): QueryResult<unknown> {
    const statement = this.#database.prepare(sql);
    // Our columns are texts, integers and nulls; anything else is refused by SQLite itself.
    const values = parameters as readonly SQLInputValue[];
    if (statement.columns().length > 0) {
      // The rows come without a prototype; those of the other databases have one.
      return { rows: statement.all(...values).map((row) => ({ ...row })) };
    }
    const { changes } = statement.run(...values);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }
}

class MissingFileError extends Error {
  readonly code = "ENOENT";

  constructor(path: string) {
    super(existsSync(dirname(path)) ? "there is no such file" : "its directory does not exist");
  }
}

function createFile(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o600)); // the write-ahead log inherits the mode
  } catch (error) {
    throw codeOf(error) === "ENOENT" ? new MissingFileError(path) : error;
  }
}

function inodeOf(path: string): bigint {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? -1n;
}

// Primary result codes: https://sqlite.org/rescode.html
const refusedCodes = new Set([1, 18, 19, 20, 21, 25]);

function failureOf(error: unknown): Failure {
  const reason = reasonOf(error);
  if (codeOf(error) === "ENOENT") {
    const advice = "Check the path; `dragoman create odb` makes a new database";
    return { type: "unreachable", reason, advice };
  }
  const code = resultCodeOf(error);
  if (reason.startsWith("no such table")) return { type: "no schema" };
  if (code === 1555 || code === 2067) return { type: "duplicate", reason };
  if (code !== undefined && refusedCodes.has(code & 0xff)) return { type: "refused", reason };
  if (error instanceof TypeError || error instanceof RangeError) return { type: "refused", reason };
  return {
    type: "unreachable",
    reason,
    advice: "Check that the file is a SQLite database, that you may write it and its directory, " +
      "and that the disk is not full",
  };
}

function isBusy(error: unknown): boolean {
  const code = resultCodeOf(error);
  return code === undefined ? reasonOf(error) === "database is locked" : (code & 0xff) === 5;
}

function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}
