import type {
  CompiledQuery,
  DatabaseConnection,
  Dialect,
  Driver,
  QueryResult,
  TransactionSettings,
} from "kysely";
import { isPlatformError } from "../../errors/platform-error.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Session } from "./backend.ts";
import { odbError, unreachable } from "./failures.ts";
import { type PoolOptions, seconds, SessionPool } from "./pool.ts";

export interface DriverOptions extends PoolOptions {
  readonly logger: Logger;
}

/** The Kysely dialect of a backend: bounded in time, and failing with our errors only. */
export function createDialect(options: DriverOptions): Dialect {
  const { backend } = options;
  return {
    createDriver: () => new OdbDriver(options),
    createAdapter: () => backend.createAdapter(),
    createQueryCompiler: () => backend.createQueryCompiler(),
    createIntrospector: (db) => backend.createIntrospector(db),
  };
}

class OdbDriver implements Driver {
  readonly #options: DriverOptions;
  readonly #pool: SessionPool;
  #isDown = false;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#pool = new SessionPool(options);
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  async acquireConnection(): Promise<BoundedConnection> {
    const session = await this.#watch(this.#pool.acquire());
    return new BoundedConnection(session, (sql, parameters) => {
      return this.#watch(this.#query(session, sql, parameters));
    });
  }

  async beginTransaction(connection: BoundedConnection, settings: TransactionSettings) {
    const { begin } = this.#options.backend;
    const statements = settings.accessMode === "read only" ? begin.read : begin.write;
    for (const statement of statements) await connection.run(statement);
  }

  async commitTransaction(connection: BoundedConnection): Promise<void> {
    await connection.run("commit");
  }

  async rollbackTransaction(connection: BoundedConnection): Promise<void> {
    try {
      await connection.run("rollback");
    } catch {
      // What made us roll back is being thrown already; a dropped connection rolls back as well.
      connection.session.destroy();
    }
  }

  releaseConnection(connection: BoundedConnection): Promise<void> {
    this.#pool.release(connection.session);
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    return this.#pool.close();
  }

  async #query(session: Session, sql: string, parameters: readonly unknown[]) {
    const { backend, queryTimeoutMs } = this.#options;
    if (!session.isOpen) throw unreachable(backend, { reason: "the connection broke" });
    const answer = session.query(sql, parameters);
    return await withTimeout(answer, queryTimeoutMs, () => {
      answer.catch(() => {}); // reported as a timeout already
      session.destroy();
      this.#pool.dropIdle();
      const reason = `${backend.timeoutReason} for ${seconds(queryTimeoutMs)}`;
      return unreachable(backend, { reason });
    });
  }

  /** Translates errors, and logs when the database goes and comes back, not every call between. */
  async #watch<T>(work: Promise<T>): Promise<T> {
    const { backend, logger } = this.#options;
    try {
      const result = await work;
      if (this.#isDown) logger.info("ODB is back", { address: backend.address });
      this.#isDown = false;
      return result;
    } catch (cause) {
      const error = odbError(backend, cause);
      if (isPlatformError(error, "ODB_UNREACHABLE") && !this.#isDown) {
        this.#isDown = true;
        logger.warn("ODB cannot be used", { error });
      }
      throw error;
    }
  }
}

type RunQuery = (sql: string, parameters: readonly unknown[]) => Promise<QueryResult<unknown>>;

/** A lent session as Kysely wants it. */
class BoundedConnection implements DatabaseConnection {
  readonly session: Session;
  readonly run: (sql: string) => Promise<QueryResult<unknown>>;
  readonly #query: RunQuery;

  constructor(session: Session, query: RunQuery) {
    this.session = session;
    this.#query = query;
    this.run = (sql) => query(sql, []);
  }

  executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    // The query's type says what its rows are; the wire cannot.
    return this.#query(sql, parameters) as Promise<QueryResult<R>>;
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("The ODB does not stream rows");
  }
}
