import { connect as connectSocket, type Socket } from "node:net";
import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler, type QueryResult } from "kysely";
import { type Connection, createConnection } from "mysql2";
import { reasonOf } from "../../errors/platform-error.ts";
import type { RemoteTarget } from "../url.ts";
import type { Backend, Failure, Session } from "./backend.ts";
import { networkFailure } from "./failures.ts";
import {
  idleTransactionMs,
  noPassword,
  type RemoteOptions,
  unknownDatabase,
  wrongPassword,
} from "./postgresql.ts";

/**
 * The database ends sessions that are silent for so long, and with them a transaction of a client
 * that froze or vanished. MySQL has no shorter limit for those alone, as MariaDB has.
 */
const idleSessionMs = 10_000;
/** Sessions are not used again when the database may be just about to end them. */
const reuseMs = idleSessionMs / 2;

/** MySQL 8 and MariaDB 10.6 or later, with InnoDB. */
export function createMysqlBackend(target: RemoteTarget, options: RemoteOptions): Backend {
  // Locks are the whole server's, and their names end at 64 characters.
  const lock = "concat('dragoman:', md5(database()))";
  return {
    dialect: "mysql",
    address: target.address,
    maxConnections: 5,
    timeoutReason: "it gave no answer",
    now: renderTime("utc_timestamp(3)"),
    timeAfter: (ms) => renderTime(`utc_timestamp(3) + interval ${ms * 1_000} microsecond`),
    skipTaken: "for update skip locked",
    awaitTaken: "for update",
    types: {
      id: "bigint not null auto_increment primary key",
      foreignId: "bigint",
      integer: "int",
      bigInteger: "bigint",
      name: "varchar(255)",
      time: "varchar(32)",
      text: "longtext",
      tableOptions: "engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin",
      indexesForeignKeys: true,
    },
    begin: {
      read: [
        "set transaction isolation level repeatable read",
        "start transaction with consistent snapshot, read only",
      ],
      // Fewer gap locks, and it sees what the last holder of the cluster's lock committed.
      write: ["set transaction isolation level read committed", "start transaction"],
    },
    // Tables are made outside transactions here, so a lock by name keeps the others out. The time
    // limit is beyond ours: whoever waits too long is disconnected, and never goes on unlocked.
    migration: {
      begin: [`select get_lock(${lock}, 86400)`],
      commit: [`select release_lock(${lock})`],
    },
    renderUpsert: renderOnDuplicateKey,
    addColumn: renderAddColumnOnce,
    connect: () => connect(target, options),
    failureOf: (error) => failureOf(error, target),
    createAdapter: () => new MysqlAdapter(),
    createQueryCompiler: () => new MysqlQueryCompiler(),
    createIntrospector: (db) => new MysqlIntrospector(db),
  };
}

function renderTime(timestamp: string): string {
  return `concat(left(date_format(${timestamp}, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')`;
}

function renderOnDuplicateKey(keys: readonly string[], columns: readonly string[]): string {
  // MySQL has no "do nothing" that does not hide other errors as well.
  const settings = columns.length === 0
    ? `${keys[0]} = ${keys[0]}`
    : columns.map((column) => `${column} = values(${column})`).join(", ");
  return `on duplicate key update ${settings}`;
}

/** Tables are changed outside transactions here, so a migration may find the column there. */
function renderAddColumnOnce(table: string, column: string, definition: string) {
  const isThere = `select count(*) from information_schema.columns where table_schema = database()
    and table_name = '${table}' and column_name = '${column}'`;
  const addition = `alter table ${table} add column ${column} ${definition}`;
  return [
    `set @addition = if((${isThere}) = 0, '${addition.replaceAll("'", "''")}', 'do 0')`,
    "prepare addition from @addition",
    "execute addition",
    "deallocate prepare addition",
  ];
}

async function connect(target: RemoteTarget, options: RemoteOptions): Promise<Session> {
  const socket = connectSocket({ host: target.host, port: target.port, noDelay: true });
  socket.setKeepAlive(true, 30_000);
  const connection = createConnection({
    stream: socket, // ours, so that it can be dropped when the database hangs
    user: target.user,
    database: target.database,
    charset: "UTF8MB4_BIN",
    ...(options.password === undefined ? {} : { password: options.password }),
  });
  const session = new MysqlSession(connection, socket);
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once("error", reject);
      connection.once("connect", () => resolve());
    });
    const lockSeconds = Math.max(1, Math.ceil(options.lockTimeoutMs / 1_000));
    // Strict: what does not fit is refused, not cut. Backslash escapes are what the driver writes.
    // To MySQL, the last line is a comment.
    await session.query(
      `set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',
         innodb_lock_wait_timeout = ${lockSeconds},
         wait_timeout = ${idleSessionMs / 1_000}
         /*M! , idle_transaction_timeout = ${idleTransactionMs / 1_000} */`,
      [],
    );
    return session;
  } catch (error) {
    session.destroy();
    throw error;
  }
}

class MysqlSession implements Session {
  readonly #connection: Connection;
  readonly #socket: Socket;
  #isOpen = true;
  #answeredAt = performance.now();

  constructor(connection: Connection, socket: Socket) {
    this.#connection = connection;
    this.#socket = socket;
    connection.on("error", () => this.#isOpen = false);
    connection.on("end", () => this.#isOpen = false);
    socket.on("close", () => this.#isOpen = false);
  }

  get isOpen(): boolean {
    return this.#isOpen && performance.now() - this.#answeredAt < reuseMs;
  }

  query(sql: string, parameters: readonly unknown[]): Promise<QueryResult<unknown>> {
    return new Promise((resolve, reject) => {
      this.#connection.query(sql, [...parameters], (error, answer) => {
        this.#answeredAt = performance.now();
        if (error !== null) reject(error);
        else if (Array.isArray(answer)) resolve({ rows: answer });
        else resolve({ rows: [], numAffectedRows: BigInt(answer.affectedRows) });
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#connection.end(() => resolve()));
  }

  destroy(): void {
    this.#isOpen = false;
    this.#connection.destroy();
    this.#socket.destroy();
  }
}

// https://mariadb.com/docs/server/reference/error-codes
const unreachableNumbers = new Set([
  1021, // disk full
  1040, // too many connections
  1044, // access denied to the database
  1053, // server shuts down
  1129, // host blocked
  1130, // host not allowed
  1142, // no privilege for the command
  1203, // too many connections of the user
  1226, // user's limit
  1227, // privilege needed
  1290, // read-only option
  1836, // read-only mode
  1927, // connection killed
  4031, // session was silent for too long
]);

function failureOf(error: unknown, { user, database }: RemoteTarget): Failure {
  const reason = reasonOf(error);
  const number = error instanceof Error && "errno" in error ? error.errno : undefined;
  switch (number) {
    case 1045:
      return /using password: NO/.test(reason) ? noPassword(user) : wrongPassword(user);
    case 1698:
      return wrongPassword(user);
    case 1049:
      return unknownDatabase(database);
    case 1146:
      return { type: "no schema" };
    case 1062:
      return { type: "duplicate", reason };
    case 1205: // lock wait timed out
    case 1213: // deadlock
    case 1020: // row changed since the snapshot
      return { type: "contended", reason };
  }
  if (typeof number !== "number" || number < 1_000) return connectionFailure(error);
  if (unreachableNumbers.has(number)) return { type: "unreachable", reason };
  return { type: "refused", reason };
}

function connectionFailure(error: unknown): Failure {
  const isOurs = error instanceof TypeError || error instanceof RangeError;
  if (isOurs) return { type: "refused", reason: reasonOf(error) };
  return networkFailure(error);
}
