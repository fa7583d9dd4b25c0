import assert from "node:assert/strict";
import { after, before, describe, it, mock } from "node:test";
import { createMysqlBackend } from "../../../src/odb/drivers/mysql.ts";
import { SessionPool } from "../../../src/odb/drivers/pool.ts";
import { parseOdbUrl } from "../../../src/odb/url.ts";
import { poll } from "../../../src/lib/wait.ts";
import { databases, type TestDatabase } from "./databases.ts";

describe("mysql: sessions that are silent", () => {
  let database: TestDatabase;
  before(async () => {
    database = await databases.find(({ name }) => name === "mysql")!.start();
  });
  after(() => database.stop());

  /** A pool whose sessions begin with a statement. */
  async function createPool(first: string): Promise<SessionPool> {
    const { url, password } = await database.createEmpty();
    const target = parseOdbUrl(url);
    assert.ok(target.dialect !== "sqlite");
    const backend = createMysqlBackend(target, { password: password!, lockTimeoutMs: 8_000 });
    const connect = async () => {
      const session = await backend.connect();
      await session.query(first, []);
      return session;
    };
    const limits = { connectTimeoutMs: 10_000, queryTimeoutMs: 10_000 };
    return new SessionPool({ backend: { ...backend, connect }, ...limits });
  }

  it("are ended by the database, and not lent again then", async () => {
    const pool = await createPool("set session wait_timeout = 1");
    const idle = await Promise.all([pool.acquire(), pool.acquire()]);
    for (const session of idle) pool.release(session);

    const areOver = () => idle.every(({ isOpen }) => !isOpen) || undefined;
    assert.ok(await poll(areOver, { timeoutMs: 4_000 }), "the database did not end them");
    const next = await Promise.all([pool.acquire(), pool.acquire()]);
    const answers = await Promise.all(next.map((session) => session.query("select 1 as n", [])));

    assert.deepEqual(answers.map(({ rows }) => rows), [[{ n: 1 }], [{ n: 1 }]]);
    for (const session of next) pool.release(session);
    await pool.close();
  });

  it("are not lent again shortly before the database ends them", async () => {
    const pool = await createPool("do 0");
    const session = await pool.acquire();
    const { rows } = await session.query("select @@session.wait_timeout as seconds", []);
    pool.release(session);
    assert.deepEqual(rows, [{ seconds: 10 }]);

    const later = performance.now() + 9_000;
    const clock = mock.method(performance, "now", () => later);
    const next = await pool.acquire().finally(() => clock.mock.restore());

    assert.notEqual(next, session);
    pool.release(next);
    await pool.close();
  });

  it("lose their locks, without a limit for idle transactions too", async () => {
    const pool = await createPool(
      "set session wait_timeout = 1 /*M! , idle_transaction_timeout = 0 */",
    );
    const [frozen, other] = await Promise.all([pool.acquire(), pool.acquire()]);
    await frozen.query("create table t (n int) engine = InnoDB", []);
    await frozen.query("insert into t values (1)", []);
    await frozen.query("start transaction", []);
    await frozen.query("update t set n = 2", []);

    await other.query("update t set n = 3 where n = 1", []);
    const { rows } = await other.query("select n from t", []);

    assert.deepEqual(rows, [{ n: 3 }]);
    for (const session of [frozen, other]) pool.release(session);
    await pool.close();
  });
});
