import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { version } from "../../../src/config/component.ts";
import { openOdb } from "../../../src/odb/open.ts";
import { latestVersion } from "../../../src/odb/migrations/registry.ts";
import { type DatabaseAccess, databases, openDemo, type TestDatabase } from "./databases.ts";

for (const { name, start } of databases) {
  describe(`${name}: schema and clusters`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("brings an empty database to the latest version, once", async () => {
      const access = await database.createEmpty();
      await using odb = await openOdb(access);

      const first = await odb.migrate();
      const second = await odb.migrate();

      assert.deepEqual(first, { from: 0, to: latestVersion });
      assert.deepEqual(second, { from: latestVersion, to: latestVersion });
      await odb.checkSchema();
      const versions = await database.query(access, "select version from schema_version");
      assert.equal(versions.length, latestVersion);
    });

    it("lets twenty starters in five processes race to migrate", async () => {
      const access = await database.createEmpty();

      const results = (await Promise.all(Array.from({ length: 5 }, () => race(access, 4)))).flat();

      const ends = results.map((result) => JSON.stringify(result));
      const end = (from: number) => JSON.stringify({ from, to: latestVersion });
      const didIt = ends.filter((text) => text === end(0));
      const foundIt = ends.filter((text) => text === end(latestVersion));
      assert.deepEqual([didIt.length, foundIt.length], [1, 19], String(ends));
      await using odb = await openOdb(access);
      await odb.checkSchema();
    });

    it("says how to make a schema where there is none", async () => {
      const access = await database.createEmpty();
      if (name === "sqlite") await database.query(access, "create table theirs (x text)");
      await using odb = await openOdb(access);

      await assert.rejects(odb.checkSchema(), { code: "ODB_NO_SCHEMA", advice: /create odb/ });
      await assert.rejects(odb.listClusters(), { code: "ODB_NO_SCHEMA" });
    });

    it("refuses a newer schema that it cannot use, and leaves it alone", async () => {
      const { access, odb } = await openDemo(database);
      await addVersion(access, latestVersion + 1, { needs: 1, by: "7.1.0" });
      await addVersion(access, latestVersion + 2, { needs: latestVersion + 1, by: "7.2.0" });
      await addVersion(access, latestVersion + 3, { needs: 1, by: "7.3.0" });

      const refused = {
        code: "ODB_NEWER_SCHEMA",
        message: new RegExp(
          `has schema version ${latestVersion + 3}, made by Dragoman 7\\.3\\.0; ` +
            `this Dragoman ${version} cannot use it, it knows ${latestVersion}$`,
        ),
        advice: /^Update this Dragoman/,
      };
      await assert.rejects(odb.checkSchema(), refused);
      await assert.rejects(odb.migrate(), refused);
      await odb.close();
    });

    it("refuses a newer schema of which nobody wrote down who can use it", async () => {
      const { access, odb } = await openDemo(database);
      await database.query(access, "insert into schema_version values (99, 'later', 'then')");

      await assert.rejects(odb.checkSchema(), {
        code: "ODB_NEWER_SCHEMA",
        message: /schema version 99, made by a later Dragoman;/,
      });
      await odb.close();
    });

    it("works on a newer schema that was made for it too", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const newer = latestVersion + 1;
      await database.query(access, "alter table server add column later varchar(20)");
      await addVersion(access, newer, { needs: latestVersion, by: "7.1.0" });

      await odb.checkSchema();
      assert.deepEqual(await odb.migrate(), { from: newer, to: newer });
      await cluster.change([{ op: "put", kind: "A", name: "a", spec: {}, references: [] }], {
        by: "me",
      });

      assert.equal((await cluster.snapshot()).objects.length, 1);
      await odb.close();
    });

    async function addVersion(
      access: DatabaseAccess,
      number: number,
      { needs, by }: { readonly needs: number; readonly by: string },
    ): Promise<void> {
      await database.query(
        access,
        `insert into schema_version values (${number}, 'later', 'then')`,
      );
      const values = `${number}, ${needs}, '${by}'`;
      await database.query(access, `insert into schema_requirement values (${values})`);
    }

    it("drops every table of its own and no other", async () => {
      const { access, odb, cluster } = await openDemo(database);
      await database.query(access, "create table theirs (x integer)");
      const references = [{ field: "uses", kinds: ["A"], name: "a" }];
      await cluster.change([
        { op: "put", kind: "A", name: "a", spec: {}, references: [] },
        { op: "put", kind: "B", name: "b", spec: {}, references },
      ], { by: "me" });

      await odb.drop();

      await assert.rejects(odb.checkSchema(), { code: "ODB_NO_SCHEMA" });
      assert.deepEqual(await database.query(access, "select * from theirs"), []);
      assert.deepEqual(await odb.migrate(), { from: 0, to: latestVersion });
      assert.deepEqual(await odb.listClusters(), []);
      await odb.close();
    });

    it("keeps clusters apart, and names the nearest for one that is not there", async () => {
      const { odb, cluster } = await openDemo(database);
      await odb.createCluster("DEMO", { keyCheck: "other" });
      const other = await odb.cluster("DEMO");
      await other.change([{ op: "put", kind: "A", name: "a", spec: {}, references: [] }], {
        by: "me",
      });

      const clusters = await odb.listClusters();

      assert.deepEqual(clusters.map((row) => [row.name, row.revision, row.keyCheck]), [
        ["DEMO", 1, "other"],
        ["demo", 0, "sealed"],
      ]);
      assert.match(clusters[0]!.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.deepEqual(await cluster.listObjects(), []);
      await assert.rejects(odb.createCluster("demo", { keyCheck: "" }), {
        code: "ODB_CLUSTER_EXISTS",
      });
      await assert.rejects(odb.cluster("demo2"), {
        code: "ODB_NO_CLUSTER",
        message: /^The ODB has no cluster "demo2", did you mean "demo"\?$/i,
      });
      await odb.close();
    });

    it("tells the time by the database's clock, in UTC", async () => {
      const before = Date.now();
      const { odb } = await openDemo(database);
      const after = Date.now();

      const [row] = await odb.listClusters();

      const createdAt = Date.parse(row!.createdAt);
      assert.ok(createdAt >= before - 1 && createdAt <= after + 1, row!.createdAt);
      await odb.close();
    });

    if (name === "sqlite") {
      it("makes a file that only its owner may read", async () => {
        const { access, odb } = await openDemo(database);

        for (const suffix of ["", "-wal"]) {
          const { mode } = statSync(new URL(access.url).pathname + suffix);
          assert.equal(mode & 0o777, 0o600, suffix);
        }
        await odb.close();
      });
    }

    if (name === "postgresql") {
      it("keeps two ODBs in two schemas of one database", async () => {
        const { url, password } = await database.createEmpty();
        const options = { password: password! };
        await using one = await openOdb({ url: `${url}_one`, ...options });
        await using two = await openOdb({ url: `${url}_T"wo`, ...options });

        await Promise.all([one.migrate(), one.migrate(), two.migrate()]);
        await one.createCluster("demo", { keyCheck: "" });

        assert.equal((await one.listClusters()).length, 1);
        assert.deepEqual(await two.listClusters(), []);
      });
    }
  });
}

async function race(access: DatabaseAccess, count: number): Promise<readonly unknown[]> {
  const child = fork(new URL("migrator.ts", import.meta.url));
  const exit = once(child, "exit");
  child.send({ access, count });
  const [results] = await once(child, "message");
  await exit;
  return results;
}
