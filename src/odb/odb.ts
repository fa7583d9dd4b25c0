import { Kysely, sql } from "kysely";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createClusterStore } from "./cluster-store.ts";
import type { OdbContext } from "./context.ts";
import type { Backend } from "./drivers/backend.ts";
import { createDialect } from "./drivers/driver.ts";
import { odbError } from "./drivers/failures.ts";
import { checkSchema, dropTables, migrate } from "./migrations/migrate.ts";
import { requireName } from "./names.ts";
import { insertCluster, listClusters, loadCluster } from "./repositories/clusters.ts";
import type { OdbDatabase, Tables } from "./schema.ts";
import type { Odb } from "./types.ts";

export interface OdbOptions {
  readonly createBackend: (lockTimeoutMs: number) => Backend;
  readonly logger: Logger;
  readonly connectTimeoutMs: number;
  readonly queryTimeoutMs: number;
}

/** An ODB that can also be asked whether opening it makes sense. */
export interface ProbedOdb extends Odb {
  /** Throws ODB_UNREACHABLE, but not for a SQLite file that may still be made. */
  probe(): Promise<void>;
}

// Longer than others wait: racing migrators queue up, and some day a table is large.
const migrationTimeoutMs = 60_000;

/** Makes the ODB over a backend; connects on first use. */
export function openOdbOver(options: OdbOptions): ProbedOdb {
  const backend = options.createBackend(lockTimeout(options.queryTimeoutMs));
  const db = openDatabase(backend, options);
  const { now, skipTaken, awaitTaken, timeAfter, renderUpsert } = backend;
  const context: OdbContext = { db, now, skipTaken, awaitTaken, timeAfter, renderUpsert };
  const ping = async () => {
    await sql`select 1`.execute(db);
  };
  const close = () => db.destroy();
  return {
    dialect: backend.dialect,
    address: backend.address,
    ping,
    probe: async () => {
      if (!backend.isAbsent?.()) await ping();
    },
    migrate: () =>
      maintain(options, (own, ownBackend) => {
        createFile(ownBackend);
        return migrate(own, ownBackend);
      }),
    checkSchema: () => checkSchema(db, backend),
    drop: () => maintain(options, dropTables),
    createCluster: async (name, { keyCheck }) => {
      requireName("The cluster name", name);
      await insertCluster(context, name, keyCheck).catch((error: unknown) => {
        if (!isPlatformError(error, "ODB_DUPLICATE")) throw error;
        throw new PlatformError("ODB_CLUSTER_EXISTS", { name }, { cause: error });
      });
    },
    listClusters: () => listClusters(db),
    cluster: async (name) => createClusterStore(context, await loadCluster(db, name)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Works on the schema over a connection of its own, which is closed whatever happens. */
async function maintain<T>(
  options: OdbOptions,
  work: (own: OdbDatabase, backend: Backend) => Promise<T>,
): Promise<T> {
  const backend = options.createBackend(lockTimeout(migrationTimeoutMs));
  const own = openDatabase(backend, { ...options, queryTimeoutMs: migrationTimeoutMs });
  try {
    return await work(own, backend);
  } finally {
    await own.destroy();
  }
}

function createFile(backend: Backend): void {
  try {
    backend.create?.();
  } catch (error) {
    throw odbError(backend, error);
  }
}

function openDatabase(backend: Backend, options: OdbOptions): OdbDatabase {
  const { logger, connectTimeoutMs, queryTimeoutMs } = options;
  return new Kysely<Tables>({
    dialect: createDialect({ backend, logger, connectTimeoutMs, queryTimeoutMs }),
  });
}

/** The database gives up first, so that its answer says why. */
function lockTimeout(queryTimeoutMs: number): number {
  return Math.ceil(queryTimeoutMs * 0.8);
}
