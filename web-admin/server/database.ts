import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { componentPaths } from "../../src/config/component.ts";

const schema = `
  CREATE TABLE IF NOT EXISTS users (
    name TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    password_changed_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS sessions (
    token_hash TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL COLLATE NOCASE REFERENCES users (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
  ) STRICT;
`;

/**
 * Opens (and makes, mode 0600) `state/web-admin.db`: users and sessions. It is the console's own
 * file so that people get in while ODB and servers are down. Any number of processes may have it
 * open: the CLI adds users while the console runs. Times in it are milliseconds since 1970.
 */
export function openDatabase(directory: string): DatabaseSync {
  const { state } = componentPaths(directory);
  mkdirSync(state, { recursive: true });
  const file = join(state, "web-admin.db");
  // SQLite would make it readable for everybody; its -wal and -shm files take this file's mode.
  closeSync(openSync(file, "a", 0o600));
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;");
  database.exec(schema);
  return database;
}
