import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { Client } from "pg";
import { openOdb, type OpenOdbOptions } from "../../../src/odb/open.ts";
import type { ClusterStore, Odb, OdbDialect } from "../../../src/odb/types.ts";
import type { DatabasePeer } from "../../peers/database-process.ts";
import { startMariadb } from "../../peers/mariadb.ts";
import { startPostgresql } from "../../peers/postgresql.ts";

/** How to reach one empty database. */
export interface DatabaseAccess {
  readonly url: string;
  readonly password?: string;
}

/** A running database server, or for SQLite a directory, that makes empty databases for tests. */
export interface TestDatabase {
  /** Absent with SQLite. */
  readonly peer?: DatabasePeer;
  createEmpty(): Promise<DatabaseAccess>;
  /** Runs SQL past the ODB. */
  query(access: DatabaseAccess, sql: string): Promise<readonly unknown[]>;
  /** Runs SQL in a transaction past the ODB, which goes on until it is ended. Absent with SQLite. */
  begin?(access: DatabaseAccess, sql: string): Promise<{ readonly end: () => Promise<void> }>;
  stop(): Promise<void>;
}

/** Every database that the ODB runs on. */
export const databases: readonly {
  readonly name: OdbDialect;
  readonly start: () => Promise<TestDatabase>;
}[] = [
  { name: "sqlite", start: startSqlite },
  { name: "postgresql", start: () => startPeer(startPostgresql, postgresql) },
  { name: "mysql", start: () => startPeer(startMariadb, mysql) },
];

/** An ODB over an empty database with the schema and the cluster `demo`. */
export async function openDemo(
  database: TestDatabase,
  options: Partial<OpenOdbOptions> = {},
): Promise<{ access: DatabaseAccess; odb: Odb; cluster: ClusterStore }> {
  const access = await database.createEmpty();
  const odb = await openOdb({ ...access, ...options });
  await odb.migrate();
  await odb.createCluster("demo", { keyCheck: "sealed" });
  return { access, odb, cluster: await odb.cluster("demo") };
}

function startSqlite(): Promise<TestDatabase> {
  const directory = mkdtempSync(join(tmpdir(), "dragoman-sqlite-"));
  let count = 0;
  return Promise.resolve({
    createEmpty: () => Promise.resolve({ url: `sqlite://${directory}/odb-${++count}.db` }),
    query: ({ url }, sql) => {
      const database = new DatabaseSync(new URL(url).pathname);
      try {
        return Promise.resolve(database.prepare(sql).all());
      } catch (error) {
        return Promise.reject(error);
      } finally {
        database.close();
      }
    },
    stop: () => rm(directory, { recursive: true }),
  });
}

async function startPeer(
  start: () => Promise<DatabasePeer>,
  { createEmpty, query, begin }: PeerAccess,
): Promise<TestDatabase> {
  const peer = await start();
  let count = 0;
  return {
    peer,
    createEmpty: async () => {
      return { url: await createEmpty(peer, `odb_${++count}`), password: peer.password };
    },
    query,
    begin,
    stop: () => peer.stop(),
  };
}

interface PeerAccess {
  readonly createEmpty: (peer: DatabasePeer, name: string) => Promise<string>;
  readonly query: TestDatabase["query"];
  readonly begin: NonNullable<TestDatabase["begin"]>;
}

const postgresql: PeerAccess = {
  // A schema each: making a whole database takes PostgreSQL ten times as long.
  createEmpty: (peer, name) => Promise.resolve(`${peer.url}?schema=${name}`),
  query: queryPostgresql,
  begin: async (access, sql) => {
    const client = await connectPostgresql(access);
    await client.query(`begin; ${sql}`);
    return { end: () => client.end() };
  },
};

const mysql: PeerAccess = {
  createEmpty: (peer, name) => peer.createDatabase(name),
  query: queryMysql,
  begin: async (access, sql) => {
    const connection = await connectMysql(access);
    await connection.query("start transaction");
    await connection.query(sql);
    return { end: () => connection.end() };
  },
};

async function connectPostgresql({ url, password }: DatabaseAccess): Promise<Client> {
  const { hostname: host, port, username: user, pathname, searchParams } = new URL(url);
  const database = pathname.slice(1);
  const client = new Client({ host, port: Number(port), user, database, password });
  await client.connect();
  const schema = searchParams.get("schema");
  await client.query(`create schema if not exists ${schema}; set search_path to ${schema}`);
  return client;
}

async function queryPostgresql(access: DatabaseAccess, sql: string) {
  const client = await connectPostgresql(access);
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function connectMysql({ url, password }: DatabaseAccess) {
  return createConnection({ uri: url, ...(password && { password }) });
}

async function queryMysql(access: DatabaseAccess, sql: string) {
  const connection = await connectMysql(access);
  try {
    const [rows] = await connection.query(sql);
    return Array.isArray(rows) ? rows : [];
  } finally {
    await connection.end();
  }
}
