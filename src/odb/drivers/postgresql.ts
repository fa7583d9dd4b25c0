import { Socket } from "node:net";
import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import { Client, type CustomTypesConfig, types } from "pg";
import { reasonOf } from "../../errors/platform-error.ts";
import type { RemoteTarget } from "../url.ts";
import type { Backend, Failure, Session } from "./backend.ts";
import { codeOf, networkFailure } from "./failures.ts";
import { renderAddColumn, renderOnConflict } from "./statements.ts";

export interface RemoteOptions {
  readonly password?: string;
  /** How long a statement may wait for a lock that another transaction holds. */
  readonly lockTimeoutMs: number;
}

/**
 * A client that froze or died in mid-transaction must not hold its locks for longer than it could
 * hold a lease. Our transactions never pause.
 */
export const idleTransactionMs = 3_000;

const name = 'varchar(255) collate "C"';

export function createPostgresqlBackend(target: RemoteTarget, options: RemoteOptions): Backend {
  const lockKey = literal(`dragoman ${target.schema ?? ""}`);
  const createSchema = target.schema === undefined
    ? []
    : [`create schema if not exists ${identifier(target.schema)}`];
  return {
    dialect: "postgresql",
    address: target.address,
    maxConnections: 5,
    timeoutReason: "it gave no answer",
    now: renderTime("clock_timestamp()"),
    timeAfter: (ms) => renderTime(`(clock_timestamp() + interval '${ms} milliseconds')`),
    skipTaken: "for update skip locked",
    awaitTaken: "for update",
    types: {
      id: "bigint generated always as identity primary key",
      foreignId: "bigint",
      integer: "integer",
      bigInteger: "bigint",
      name,
      time: "varchar(32)",
      text: "text",
      tableOptions: "",
      indexesForeignKeys: false,
    },
    begin: {
      read: ["start transaction isolation level repeatable read, read only"],
      write: ["start transaction isolation level read committed"],
    },
    migration: {
      begin: ["begin", `select pg_advisory_xact_lock(hashtext(${lockKey}))`, ...createSchema],
      commit: ["commit"],
    },
    renderUpsert: renderOnConflict,
    addColumn: renderAddColumn,
    connect: () => connect(target, options),
    failureOf: (error) => failureOf(error, target),
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

function renderTime(timestamp: string): string {
  return `to_char(${timestamp} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

const bigintOid = 20;
const typeParsers: CustomTypesConfig = {
  // Row ids are bigint, and far from 2^53.
  getTypeParser: (oid, format) => oid === bigintOid ? Number : types.getTypeParser(oid, format),
};

async function connect(target: RemoteTarget, options: RemoteOptions): Promise<Session> {
  const socket = new Socket(); // ours, so that it can be dropped when the database hangs
  const client = new Client({
    host: target.host,
    port: target.port,
    user: target.user,
    database: target.database,
    ...(options.password === undefined ? {} : { password: options.password }),
    stream: () => socket,
    keepAlive: true,
    application_name: "dragoman",
    types: typeParsers,
  });
  let isOpen = true;
  client.on("error", () => isOpen = false);
  client.on("end", () => isOpen = false);
  const destroy = () => {
    isOpen = false;
    socket.destroy();
  };
  try {
    await client.connect();
    await prepare(client, target, options);
  } catch (error) {
    destroy();
    throw error;
  }
  return {
    get isOpen() {
      return isOpen;
    },
    query: (sql, parameters) => query(client, sql, parameters),
    close: () => client.end(),
    destroy,
  };
}

async function prepare(client: Client, target: RemoteTarget, options: RemoteOptions) {
  const path = target.schema === undefined
    ? ""
    : `set search_path to ${identifier(target.schema)};`;
  await client.query(
    `${path} set lock_timeout to ${options.lockTimeoutMs};
     set idle_in_transaction_session_timeout to ${idleTransactionMs}`,
  );
}

async function query(client: Client, sql: string, parameters: readonly unknown[]) {
  const { rows, rowCount } = await client.query(sql, [...parameters]);
  const result: QueryResult<unknown> = { rows, numAffectedRows: BigInt(rowCount ?? 0) };
  return result;
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
function failureOf(error: unknown, { user, database }: RemoteTarget): Failure {
  const code = codeOf(error) ?? "";
  const reason = reasonOf(error);
  // The driver's own words for a server that asks while there is no password to give.
  if (/password must be a(?: non-empty)? string/.test(reason)) return noPassword(user);
  if (!/^[0-9A-Z]{5}$/.test(code) || /^E[A-Z]{4}$/.test(code)) return networkFailure(error);
  if (code === "42P01" || code === "3F000") return { type: "no schema" };
  if (code === "23505") return { type: "duplicate", reason };
  if (code === "40001" || code === "40P01" || code === "55P03") {
    return { type: "contended", reason };
  }
  if (code === "28P01") return wrongPassword(user);
  if (code === "3D000") return unknownDatabase(database);
  // 08 connection, 25006 read-only, 25P03 idle for too long, 28 authorization, 42501 privilege,
  // 53 resources, 57 operator, 58 system
  if (/^(?:08|25006|25P03|28|42501|53|57|58)/.test(code)) return { type: "unreachable", reason };
  return { type: "refused", reason };
}

/** Shared with the MySQL backend, so that both say the same. */
export function wrongPassword(user: string): Failure {
  return {
    type: "unreachable",
    reason: `user "${user}" or its password is wrong`,
    advice: "Correct the user in the ODB's URL, or the password in the file secrets/odb-password",
  };
}

export function noPassword(user: string): Failure {
  return {
    type: "unreachable",
    reason: `it wants a password for user "${user}", and none is configured`,
    advice: "Put the password into the file secrets/odb-password",
  };
}

export function unknownDatabase(database: string): Failure {
  return {
    type: "unreachable",
    reason: `it has no database "${database}"`,
    advice: "Create the database, or correct its name in the ODB's URL",
  };
}

function identifier(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
