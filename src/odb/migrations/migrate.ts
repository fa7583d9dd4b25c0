import { type Kysely, sql } from "kysely";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Backend } from "../drivers/backend.ts";
import { type OdbDatabase, tableNames, type Tables } from "../schema.ts";
import type { MigrationResult } from "../types.ts";
import { latestVersion, migrations } from "./registry.ts";

/**
 * Brings the schema to the latest version while no other migrator works: whoever waited finds the
 * work done. Throws ODB_NEWER_SCHEMA. Where the database can, all of it is one transaction.
 */
export function migrate(db: OdbDatabase, backend: Backend): Promise<MigrationResult> {
  return exclusively(db, backend, async (connection) => {
    const { name, integer, time, tableOptions } = backend.types;
    await runRaw(
      connection,
      `create table if not exists schema_version (
        version ${integer} not null primary key,
        name ${name} not null,
        applied_at ${time} not null
      ) ${tableOptions}`,
    );
    const from = await loadVersion(connection);
    if (from > latestVersion) throw versionError(backend, from);
    for (const migration of migrations.slice(from)) {
      for (const statement of migration.statements(backend)) {
        await runRaw(connection, statement);
      }
      await connection.insertInto("schema_version").values({
        version: migration.version,
        name: migration.name,
        applied_at: sql<string>`${sql.raw(backend.now)}`,
      }).execute();
    }
    return { from, to: latestVersion };
  });
}

/** Drops every table of ours and nothing else. */
export function dropTables(db: OdbDatabase, backend: Backend): Promise<void> {
  return exclusively(db, backend, async (connection) => {
    for (const table of tableNames.toReversed()) {
      await connection.schema.dropTable(table).ifExists().execute();
    }
  });
}

/** Throws ODB_NO_SCHEMA, ODB_OLDER_SCHEMA or ODB_NEWER_SCHEMA unless the schema is the latest. */
export async function checkSchema(db: OdbDatabase, backend: Backend): Promise<void> {
  const version = await loadVersion(db);
  if (version !== latestVersion) throw versionError(backend, version);
}

async function loadVersion(db: OdbDatabase): Promise<number> {
  const row = await db.selectFrom("schema_version").select(({ fn }) => fn.max("version").as("max"))
    .executeTakeFirst();
  return row?.max ?? 0;
}

function versionError({ address }: Backend, found: number): PlatformError {
  if (found === 0) return new PlatformError("ODB_NO_SCHEMA", { address });
  const code = found > latestVersion ? "ODB_NEWER_SCHEMA" : "ODB_OLDER_SCHEMA";
  return new PlatformError(code, { address, found, known: latestVersion });
}

/** After a failure the caller closes the connection, which undoes the transaction or the lock. */
function exclusively<T>(
  db: OdbDatabase,
  { migration }: Backend,
  work: (connection: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  return db.connection().execute(async (connection) => {
    for (const statement of migration.begin) await runRaw(connection, statement);
    const result = await work(connection);
    for (const statement of migration.commit) await runRaw(connection, statement);
    return result;
  });
}

async function runRaw(connection: OdbDatabase, statement: string): Promise<void> {
  await sql.raw(statement).execute(connection);
}
