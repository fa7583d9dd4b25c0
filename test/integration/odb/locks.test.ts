import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

for (const { name, start } of databases) {
  describe(`${name}: locks`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());
    const lock = (owner: string, ttlMs = 60_000) => ({ name: "stock", owner, ttlMs });

    it("gives a lock to one of twenty, and its token rises with every holder", async () => {
      const { odb, cluster } = await openDemo(database);

      const tokens: number[] = [];
      for (let round = 0; round < 3; round++) {
        const owners = Array.from({ length: 20 }, (_, index) => `${round}-${index}`);
        const got = await Promise.all(owners.map((owner) => cluster.acquireLock(lock(owner))));
        const holder = got.findIndex((token) => token !== undefined);
        assert.equal(got.filter((token) => token !== undefined).length, 1);
        tokens.push(got[holder]!);
        assert.equal(await cluster.releaseLock(lock(owners[holder]!)), true);
      }

      assert.deepEqual(tokens, [1, 2, 3]);
      await odb.close();
    });

    it("is lost when its time is over, and its holder learns it", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.acquireLock(lock("slow", 1));

      const token = await poll(() => cluster.acquireLock(lock("quick")), { timeoutMs: 5_000 });

      assert.equal(token, 2);
      assert.equal(await cluster.renewLock(lock("slow")), false);
      assert.equal(await cluster.releaseLock(lock("slow")), false);
      assert.equal(await cluster.renewLock(lock("quick")), true);
      await odb.close();
    });

    it("is lost to its holder even when nobody else took it", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.acquireLock(lock("slow", 1));

      const lost = await poll(
        async () => await cluster.renewLock(lock("slow", 1)) ? undefined : true,
        { timeoutMs: 5_000 },
      );

      assert.equal(lost, true);
      assert.equal(await cluster.acquireLock(lock("slow")), 2);
      await odb.close();
    });

    it("is held while it is renewed, and taken twice by one owner is the same", async () => {
      const { odb, cluster } = await openDemo(database);

      assert.equal(await cluster.acquireLock(lock("a")), 1);
      assert.equal(await cluster.acquireLock(lock("a")), 1);
      assert.equal(await cluster.renewLock(lock("a")), true);
      assert.equal(await cluster.acquireLock(lock("b")), undefined);
      assert.equal(await cluster.acquireLock({ ...lock("b"), name: "other" }), 1);
      await odb.close();
    });
  });
}
