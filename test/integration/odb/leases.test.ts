import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import type { HeldLease, LeaseHolder } from "../../../src/odb/lease-types.ts";
import type { ClusterStore } from "../../../src/odb/types.ts";
import { type DatabaseAccess, databases, openDemo, type TestDatabase } from "./databases.ts";

const name = "scheduler";
const holderOf = (server: string): LeaseHolder => ({ server, incarnation: `${server}-1` });
const one = holderOf("server1");
const two = holderOf("server2");
const ttlMs = 60_000;

for (const { name: databaseName, start } of databases) {
  describe(`${databaseName}: leases`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("gives a lease to one of twenty candidates, with a higher epoch each time", async () => {
      const { odb, cluster } = await openDemo(database);

      const epochs: number[] = [];
      for (let round = 0; round < 3; round++) {
        const holders = Array.from({ length: 20 }, (_, index) => holderOf(`s${round}-${index}`));
        const got = await Promise.all(
          holders.map((holder) => cluster.acquireLease({ name, holder, ttlMs })),
        );
        const winner = got.findIndex((lease) => lease !== undefined);
        assert.equal(got.filter((lease) => lease !== undefined).length, 1);
        epochs.push(got[winner]!.epoch);
        const proof = { ...got[winner]!, holder: holders[winner]! };
        assert.equal(await cluster.releaseLease(proof, "released"), true);
      }

      assert.deepEqual(epochs, [1, 2, 3]);
      await odb.close();
    });

    it("gives a lease to one of five processes", async () => {
      const { access, odb, cluster } = await openDemo(database);

      const results = (await Promise.all([1, 2, 3, 4, 5].map((id) => race(access, id)))).flat();

      const held = results.filter((lease) => lease !== null);
      assert.equal(results.length, 20);
      assert.deepEqual(held, [{ name, epoch: 1 }]);
      assert.equal((await cluster.listLeaseTerms()).length, 1);
      await odb.close();
    });

    it("keeps holder and epoch while it is renewed, and refuses everybody else", async () => {
      const { odb, cluster } = await openDemo(database);

      const first = await cluster.acquireLease({ name, holder: one, ttlMs });
      const again = await cluster.acquireLease({ name, holder: one, ttlMs });
      const lease = { name, epoch: 1 };
      const other = { name: "other", epoch: 1 };
      await cluster.acquireLease({ name: "other", holder: two, ttlMs });

      assert.deepEqual([first, again], [lease, lease]);
      assert.equal(await cluster.acquireLease({ name, holder: two, ttlMs }), undefined);
      const reborn = { ...one, incarnation: "server1-2" };
      assert.equal(await cluster.acquireLease({ name, holder: reborn, ttlMs }), undefined);
      const renew = (holder: LeaseHolder, leases: readonly HeldLease[]) =>
        cluster.renewLeases(leases, { holder, ttlMs });
      assert.deepEqual(await renew(one, [lease]), [name]);
      assert.deepEqual(await renew(one, [lease, other]), [name]);
      assert.deepEqual(await renew(two, [lease, other]), ["other"]);
      assert.deepEqual(await renew(reborn, [lease]), []);
      assert.deepEqual(await renew(one, [{ name, epoch: 2 }]), []);
      assert.deepEqual(await renew(one, []), []);
      await odb.close();
    });

    it("prolongs a lease by the database's clock when it is renewed", async () => {
      const { odb, cluster } = await openDemo(database);
      const lease = await cluster.acquireLease({ name, holder: one, ttlMs: 20_000 });
      const [before] = await cluster.listLeases();

      await cluster.renewLeases([lease!], { holder: one, ttlMs });

      const [after] = await cluster.listLeases();
      assert.ok(before!.expiresInMs > 0 && before!.expiresInMs <= 20_000);
      assert.ok(after!.expiresInMs > 20_000 && after!.expiresInMs <= ttlMs);
      assert.deepEqual({ ...after, expiresInMs: 0 }, {
        name,
        ...one,
        epoch: 1,
        state: "held",
        acquiredAt: before!.acquiredAt,
        expiresInMs: 0,
      });
      await odb.close();
    });

    it("is over when its time is, whether or not somebody takes it", async () => {
      const { odb, cluster } = await openDemo(database);
      const lease = await lose(cluster, one);

      const [expired] = await cluster.listLeases();
      const [open] = await cluster.listLeaseTerms();
      assert.deepEqual([expired!.state, expired!.server], ["expired", "server1"]);
      assert.deepEqual([open!.end, open!.endedAt === null], ["expired", false]);
      assert.deepEqual(await cluster.renewLeases([lease], { holder: one, ttlMs }), []);
      assert.equal(await cluster.releaseLease({ ...lease, holder: one }, "released"), false);

      const back = await cluster.acquireLease({ name, holder: one, ttlMs });
      assert.deepEqual(back, { name, epoch: 2 });
      assert.deepEqual(await cluster.renewLeases([lease], { holder: one, ttlMs }), []);
      await odb.close();
    });

    it("tells who held it when, and why each term ended", async () => {
      const { odb, cluster } = await openDemo(database);
      await lose(cluster, one);
      const second = await cluster.acquireLease({ name, holder: two, ttlMs });
      await cluster.releaseLease({ ...second!, holder: two }, "rebalanced");
      const third = await cluster.acquireLease({ name, holder: one, ttlMs });
      await cluster.releaseLease({ ...third!, holder: one }, "released");
      const [free] = await cluster.listLeases();
      await cluster.acquireLease({ name, holder: two, ttlMs });
      await cluster.acquireLease({ name: "other", holder: two, ttlMs });

      const terms = await cluster.listLeaseTerms({ name });

      assert.deepEqual([free!.state, free!.server, free!.expiresInMs], ["free", "server1", 0]);
      assert.deepEqual(terms.map(({ epoch, server, end }) => [epoch, server, end]), [
        [4, "server2", null],
        [3, "server1", "released"],
        [2, "server2", "rebalanced"],
        [1, "server1", "expired"],
      ]);
      assert.equal(terms[0]!.endedAt, null);
      for (const term of terms.slice(1)) assert.ok(term.startedAt <= term.endedAt!);
      assert.equal((await cluster.listLeaseTerms({ limit: 2 })).length, 2);
      assert.equal((await cluster.listLeaseTerms()).length, 5);
      await odb.close();
    });

    it("forgets terms of long ago, but no epoch", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const lease = await cluster.acquireLease({ name, holder: one, ttlMs });
      await cluster.releaseLease({ ...lease!, holder: one }, "released");
      const longAgo = new Date(Date.now() - 91 * 86_400_000).toISOString();
      await database.query(access, `update lease_term set started_at = '${longAgo}'`);

      const next = await cluster.acquireLease({ name, holder: two, ttlMs });

      assert.equal(next!.epoch, 2);
      assert.deepEqual((await cluster.listLeaseTerms()).map(({ epoch }) => epoch), [2]);
      await odb.close();
    });

    it("refuses names that cannot be stored", async () => {
      const { odb, cluster } = await openDemo(database);

      await assert.rejects(
        cluster.acquireLease({ name: " ", holder: one, ttlMs }),
        { code: "ODB_NAME_INVALID" },
      );
      await odb.close();
    });
  });
}

/** Holds the lease until its time is over. */
async function lose(cluster: ClusterStore, holder: LeaseHolder): Promise<HeldLease> {
  const lease = await cluster.acquireLease({ name, holder, ttlMs: 1 });
  await poll(async () => {
    const [row] = await cluster.listLeases();
    return row!.state === "expired" ? true : undefined;
  }, { timeoutMs: 5_000 });
  return lease!;
}

async function race(access: DatabaseAccess, id: number): Promise<readonly (HeldLease | null)[]> {
  const child = fork(new URL("lease-candidates.ts", import.meta.url));
  const exit = once(child, "exit");
  child.send({ access, name, servers: [1, 2, 3, 4].map((index) => `server${id}-${index}`) });
  const [results] = await once(child, "message");
  await exit;
  return results;
}
