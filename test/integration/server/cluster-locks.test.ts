import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { OdbLink } from "../../../src/cluster/odb-link.ts";
import { openOdb } from "../../../src/odb/open.ts";
import { ClusterLocks } from "../../../src/server/supervisor/cluster-locks.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";

let directory: string;
let links: readonly OdbLink[];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-locks-"));
  const url = `sqlite://${directory}/odb.db`;
  await using odb = await openOdb({ url });
  await odb.migrate();
  await odb.createCluster("demo", { keyCheck: "" });
  links = await Promise.all([1, 2].map(async () => {
    return new OdbLink({ odb: await openOdb({ url }), cluster: "demo", logger: silentLogger });
  }));
});

after(async () => {
  await Promise.all(links.map((link) => link.close()));
  await rm(directory, { recursive: true, force: true });
});

/** A worker process that goes on. */
const living = { exited: new Promise<void>(() => {}) };

const servers = () => links.map((link) => new ClusterLocks({ link, pollMs: 10 }));

describe("ClusterLocks", () => {
  it("lets one of two servers' forty waiters in at a time, with rising tokens", async () => {
    const [one, two] = servers();
    let inside = 0;
    const tokens: number[] = [];

    await Promise.all(Array.from({ length: 40 }, async (_, index) => {
      const locks = index % 2 === 0 ? one! : two!;
      const request = { name: "turns", owner: `waiter-${index}`, ttlMs: 60_000 };
      const token = await locks.lock({ ...request, waitMs: 30_000 }, living);
      assert.ok(token !== null);
      assert.equal(++inside, 1, "two hold it at once");
      tokens.push(token);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      assert.equal(await locks.unlock(request), true);
    }));

    assert.equal(tokens.length, 40);
    assert.deepEqual(tokens, tokens.toSorted((a, b) => a - b));
    assert.equal(new Set(tokens).size, 40);
  });

  it("answers null when somebody else holds it for all of the time", async () => {
    const [one, two] = servers();
    const held = { name: "held", owner: "a", ttlMs: 60_000 };
    await one!.lock({ ...held, waitMs: 0 }, living);

    const answers = await Promise.all([
      one!.lock({ ...held, owner: "b", waitMs: 0 }, living),
      one!.lock({ ...held, owner: "c", waitMs: 50 }, living),
      two!.lock({ ...held, owner: "d", waitMs: 50 }, living),
    ]);

    assert.deepEqual(answers, [null, null, null]);
  });

  it("takes the lock from a holder that slept, whose token is older", async () => {
    const [one, two] = servers();
    const request = { name: "slept", ttlMs: 30 };
    const slept = await one!.lock({ ...request, owner: "sleeper", waitMs: 0 }, living);

    const awake = await two!.lock(
      { ...request, owner: "awake", ttlMs: 60_000, waitMs: 10_000 },
      living,
    );

    assert.ok(slept !== null && awake !== null && awake > slept);
    assert.equal(await one!.renew({ ...request, owner: "sleeper" }), false);
    assert.equal(await one!.unlock({ name: "slept", owner: "sleeper" }), false);
    assert.equal(await two!.renew({ ...request, owner: "awake" }), true);
  });

  it("hands a released lock on to the next waiter of the same server in order", async () => {
    const [one] = servers();
    const slow = new ClusterLocks({ link: links[0]!, pollMs: 60_000 });
    const request = { name: "order", ttlMs: 60_000, waitMs: 30_000 };
    await slow.lock({ ...request, owner: "first" }, living);
    const order: string[] = [];
    const waiting = ["second", "third"].map(async (owner) => {
      await slow.lock({ ...request, owner }, living);
      order.push(owner);
      await slow.unlock({ name: "order", owner });
    });
    assert.equal(await one!.lock({ ...request, owner: "other", waitMs: 0 }, living), null);

    await slow.unlock({ name: "order", owner: "first" });
    await Promise.all(waiting);

    assert.deepEqual(order, ["second", "third"]);
  });

  it("lets nobody wait for a worker that has ended", async () => {
    const locks = new ClusterLocks({ link: links[0]!, pollMs: 60_000 });
    const request = { name: "deserted", ttlMs: 60_000, waitMs: 30_000 };
    const exit = Promise.withResolvers<void>();
    const dying = { exited: exit.promise };
    await locks.lock({ ...request, owner: "holder" }, living);
    const deserted = ["first", "second"].map((owner) => locks.lock({ ...request, owner }, dying));
    const alive = locks.lock({ ...request, owner: "alive" }, living);

    exit.resolve();
    const answers = await Promise.all(deserted);
    await locks.unlock({ name: "deserted", owner: "holder" });

    assert.deepEqual(answers, [null, null]);
    assert.notEqual(await alive, null);
  });

  it("gives a lock back that is granted to a worker that has ended meanwhile", async () => {
    const [one, two] = servers();
    const request = { name: "late", ttlMs: 60_000, waitMs: 0 };

    const answer = await one!.lock({ ...request, owner: "dead" }, { exited: Promise.resolve() });

    assert.equal(answer, null);
    assert.notEqual(await two!.lock({ ...request, owner: "alive" }, living), null);
  });

  it("refuses when the ODB is gone, and the next in the queue is told as well", async () => {
    const gone = new OdbLink({
      odb: await openOdb({ url: `sqlite://${directory}/none/odb.db`, lazy: true }),
      cluster: "demo",
      logger: silentLogger,
    });
    const locks = new ClusterLocks({ link: gone });
    const request = { name: "x", ttlMs: 1_000, waitMs: 1_000 };

    const results = await Promise.allSettled(
      ["a", "b"].map((owner) => locks.lock({ ...request, owner }, living)),
    );

    for (const result of results) {
      assert.ok(result.status === "rejected");
      assert.equal(result.reason.code, "ODB_UNREACHABLE");
    }
    await gone.close();
  });
});
