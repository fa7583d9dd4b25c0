import { type Kysely, sql } from "kysely";
import { version as ownVersion } from "../../config/component.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Backend } from "../drivers/backend.ts";
import { type OdbDatabase, tableNames, type Tables } from "../schema.ts";
import type { MigrationResult } from "../types.ts";
import type { Migration } from "./migration.ts";
import { latestVersion, migrations } from "./registry.ts";

/**
 * Brings the schema to the latest version while no other migrator works: whoever waited finds the
 * work done. A newer schema that we can use is left as it is. Throws ODB_NEWER_SCHEMA. Where the
 * database can, all of it is one transaction.
 */
export function migrate(db: OdbDatabase, backend: Backend): Promise<MigrationResult> {
  return exclusively(db, backend, async (connection) => {
    await createVersionTables(connection, backend);
    const from = await loadVersion(connection);
    if (from > latestVersion) await requireUsable(connection, backend, from);
    for (const migration of migrations.slice(from)) await carryOut(connection, backend, migration);
    return { from, to: Math.max(from, latestVersion) };
  });
}

async function createVersionTables(connection: OdbDatabase, { types }: Backend): Promise<void> {
  const { name, integer, time, tableOptions } = types;
  await runRaw(
    connection,
    `create table if not exists schema_version (
      version ${integer} not null primary key,
      name ${name} not null,
      applied_at ${time} not null
    ) ${tableOptions}`,
  );
  await runRaw(
    connection,
    `create table if not exists schema_requirement (
      version ${integer} not null primary key,
      needs ${integer} not null,
      applied_by ${name} not null
    ) ${tableOptions}`,
  );
}

async function carryOut(
  connection: OdbDatabase,
  backend: Backend,
  migration: Migration,
): Promise<void> {
  const { version, name, needs } = migration;
  for (const statement of migration.statements(backend)) await runRaw(connection, statement);
  // First, so that there is no version without it where there are no transactions for this.
  await connection.deleteFrom("schema_requirement").where("version", "=", version).execute();
  await connection.insertInto("schema_requirement")
    .values({ version, needs, applied_by: ownVersion }).execute();
  await connection.insertInto("schema_version").values({
    version,
    name,
    applied_at: sql<string>`${sql.raw(backend.now)}`,
  }).execute();
}

/** Drops every table of ours and nothing else. */
export function dropTables(db: OdbDatabase, backend: Backend): Promise<void> {
  return exclusively(db, backend, async (connection) => {
    for (const table of tableNames.toReversed()) {
      await connection.schema.dropTable(table).ifExists().execute();
    }
  });
}

/**
 * Throws ODB_NO_SCHEMA, ODB_OLDER_SCHEMA or ODB_NEWER_SCHEMA unless the schema is the latest, or a
 * later one that was made to be used by us too.
 */
export async function checkSchema(db: OdbDatabase, backend: Backend): Promise<void> {
  const { address } = backend;
  const found = await loadVersion(db);
  if (found === 0) throw new PlatformError("ODB_NO_SCHEMA", { address });
  if (found > latestVersion) return await requireUsable(db, backend, found);
  if (found === latestVersion) return;
  throw new PlatformError("ODB_OLDER_SCHEMA", { address, found, known: latestVersion, ownVersion });
}

async function loadVersion(db: OdbDatabase): Promise<number> {
  const row = await db.selectFrom("schema_version").select(({ fn }) => fn.max("version").as("max"))
    .executeTakeFirst();
  return row?.max ?? 0;
}

/** Throws ODB_NEWER_SCHEMA when one of the steps that we do not know takes what we need. */
async function requireUsable(
  db: OdbDatabase,
  { address }: Backend,
  found: number,
): Promise<void> {
  const unknown = await db.selectFrom("schema_requirement").selectAll()
    .where("version", ">", latestVersion).orderBy("version").execute();
  const isUsable = unknown.length === found - latestVersion &&
    unknown.every(({ needs }) => needs <= latestVersion);
  if (isUsable) return;
  const maker = unknown.at(-1)?.applied_by;
  throw new PlatformError("ODB_NEWER_SCHEMA", {
    address,
    found,
    maker: maker === undefined ? "a later Dragoman" : `Dragoman ${maker}`,
    ownVersion,
    known: latestVersion,
  });
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
