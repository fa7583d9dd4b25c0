import { DatabaseSync } from "node:sqlite";

/** A hold on a SQLite file that keeps everybody else from writing to it. */
export interface SqliteLock {
  release(): void;
}

/**
 * Takes the write lock of a SQLite file. What reads goes on; what writes waits until it gives up.
 * There is nothing worse that can be done to a file that others have open. Throws when it cannot
 * be had within 5 s.
 */
export function lockSqlite(path: string): SqliteLock {
  const database = new DatabaseSync(path);
  try {
    database.exec("pragma busy_timeout = 5000");
    database.exec("begin immediate");
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    release: () => {
      database.exec("rollback");
      database.close();
    },
  };
}
