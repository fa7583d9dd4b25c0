import { type Logger, silentLogger } from "../telemetry/logger.ts";
import type { Backend } from "./drivers/backend.ts";
import { openOdbOver } from "./odb.ts";
import type { Odb } from "./types.ts";
import { type OdbTarget, parseOdbUrl } from "./url.ts";

export { splitPassword } from "./url.ts";

export interface OpenOdbOptions {
  /** `sqlite:///path`, `postgresql://user@host:port/db?schema=x`, `mysql://user@host:port/db`. */
  readonly url: string;
  readonly password?: string;
  /** Is told when the database goes and when it is back. Default: silent. */
  readonly logger?: Logger;
  /** Limit of making one connection. Default 3,000. */
  readonly connectTimeoutMs?: number;
  /** Limit of one statement. Default 10,000. */
  readonly queryTimeoutMs?: number;
  /** Do not connect before the first call. Default false. */
  readonly lazy?: boolean;
}

/**
 * Opens the operational database; close it when done. Throws ODB_URL_INVALID, ODB_PASSWORD_IN_URL
 * and, unless `lazy`, ODB_UNREACHABLE. A SQLite file that does not exist yet is no error here when
 * its directory does: `migrate` makes it, and until then every other call is ODB_UNREACHABLE.
 */
export async function openOdb(options: OpenOdbOptions): Promise<Odb> {
  const {
    url,
    password,
    logger = silentLogger,
    connectTimeoutMs = 3_000,
    queryTimeoutMs = 10_000,
    lazy = false,
  } = options;
  const createBackend = await loadBackend(parseOdbUrl(url), password);
  const odb = openOdbOver({ createBackend, logger, connectTimeoutMs, queryTimeoutMs });
  if (lazy) return odb;
  try {
    await odb.probe();
    return odb;
  } catch (error) {
    await odb.close();
    throw error;
  }
}

/** Loads the client library of the one database that is used. */
async function loadBackend(
  target: OdbTarget,
  password: string | undefined,
): Promise<(lockTimeoutMs: number) => Backend> {
  const secret = password === undefined ? {} : { password };
  switch (target.dialect) {
    case "sqlite": {
      const { createSqliteBackend } = await import("./drivers/sqlite.ts");
      return () => createSqliteBackend(target);
    }
    case "postgresql": {
      const { createPostgresqlBackend } = await import("./drivers/postgresql.ts");
      return (lockTimeoutMs) => createPostgresqlBackend(target, { ...secret, lockTimeoutMs });
    }
    case "mysql": {
      const { createMysqlBackend } = await import("./drivers/mysql.ts");
      return (lockTimeoutMs) => createMysqlBackend(target, { ...secret, lockTimeoutMs });
    }
  }
}
