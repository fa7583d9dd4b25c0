import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend, Session } from "./backend.ts";
import { createSqliteBackend } from "./sqlite.ts";
import { type PoolOptions, SessionPool } from "./pool.ts";

interface FakeSession extends Session {
  isOpen: boolean;
}

function fakeSession(): FakeSession {
  const session: FakeSession = {
    isOpen: true,
    query: () => Promise.reject(new Error("A fake session answers nothing")),
    close: () => Promise.resolve(session.destroy()),
    destroy: () => {
      session.isOpen = false;
    },
  };
  return session;
}

function createPool(
  { connect = () => Promise.resolve(fakeSession()), maxConnections = 1, ...limits }:
    & Partial<Pick<Backend, "connect" | "maxConnections">>
    & Partial<PoolOptions> = {},
): SessionPool {
  const backend = { ...createSqliteBackend({ path: "/fake.db" }), connect, maxConnections };
  return new SessionPool({ backend, connectTimeoutMs: 1_000, queryTimeoutMs: 1_000, ...limits });
}

describe("SessionPool", () => {
  it("lends one session to one borrower at a time, in the order in which they asked", async () => {
    const pool = createPool();
    const order: number[] = [];

    await Promise.all([1, 2, 3].map(async (borrower) => {
      const session = await pool.acquire();
      order.push(borrower);
      await Promise.resolve();
      order.push(borrower);
      pool.release(session);
    }));

    assert.deepEqual(order, [1, 1, 2, 2, 3, 3]);
  });

  it("lends as many as it may at once, and reuses them", async () => {
    const pool = createPool({ maxConnections: 2 });

    const first = await Promise.all([pool.acquire(), pool.acquire()]);
    for (const session of first) pool.release(session);
    const second = await Promise.all([pool.acquire(), pool.acquire()]);

    assert.notEqual(first[0], first[1]);
    assert.deepEqual(new Set(second), new Set(first));
  });

  it("does not lend a broken session again", async () => {
    const pool = createPool();
    const session = await pool.acquire();
    session.destroy();
    pool.release(session);

    const next = await pool.acquire();

    assert.notEqual(next, session);
    assert.equal(next.isOpen, true);
  });

  it("gives up waiting at its limit, without losing the place", async () => {
    const pool = createPool({ queryTimeoutMs: 20 });
    const session = await pool.acquire();

    await assert.rejects(pool.acquire(), {
      code: "ODB_UNREACHABLE",
      message: /all connections were busy for 0\.02 s$/,
    });
    pool.release(session);

    assert.equal(await pool.acquire(), session);
  });

  it("drops a connection that comes too late, and keeps the place", async () => {
    const late = Promise.withResolvers<FakeSession>();
    const connections = [late.promise, Promise.resolve(fakeSession())];
    const pool = createPool({ connect: () => connections.shift()!, connectTimeoutMs: 20 });

    await assert.rejects(pool.acquire(), { message: /no answer within 0\.02 s$/ });
    const session = fakeSession();
    late.resolve(session);
    const next = await pool.acquire();

    assert.equal(session.isOpen, false);
    assert.equal(next.isOpen, true);
  });

  it("closes idle sessions at once, and lent ones when they come back", async () => {
    const pool = createPool({ maxConnections: 2 });
    const [idle, lent] = await Promise.all([pool.acquire(), pool.acquire()]);
    pool.release(idle);

    await pool.close();
    assert.deepEqual([idle.isOpen, lent.isOpen], [false, true]);
    pool.release(lent);

    assert.equal(lent.isOpen, false);
    await assert.rejects(pool.acquire(), { code: "ODB_UNREACHABLE" });
  });
});
