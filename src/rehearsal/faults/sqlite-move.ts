import { rename } from "node:fs/promises";

/** A SQLite database that is not where it should be. */
export interface MovedSqlite {
  putBack(): Promise<void>;
}

/** A database with its write-ahead log: the log is nothing without the database, so that it is last. */
const endings = ["", "-wal", "-shm"] as const;

/**
 * Moves a SQLite database out of the way, so that whoever opens it finds no file. Nobody may have
 * it open.
 */
export async function moveAwaySqlite(path: string): Promise<MovedSqlite> {
  const away = `${path}.away`;
  const move = async (from: string, to: string, parts: readonly string[]) => {
    for (const part of parts) await rename(`${from}${part}`, `${to}${part}`).catch(ignoreAbsence);
  };
  await move(path, away, endings);
  return { putBack: () => move(away, path, endings.toReversed()) };
}

/** Who closes a database last takes its log away. */
function ignoreAbsence(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
