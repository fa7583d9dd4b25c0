import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openOdb } from "../../../src/odb/open.ts";
import { latestVersion } from "../../../src/odb/migrations/registry.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

for (const { name, start } of databases) {
  describe(`${name}: upgrades`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("brings version 2 to the latest, and keeps its servers", async () => {
      const { access, odb } = await openDemo(database);
      await odb.close();
      const later = ["lease", "lease_term", "job_progress", "job_run", "schema_requirement"];
      for (const table of later) {
        await database.query(access, `drop table ${table}`);
      }
      for (const column of ["incarnation", "details"]) {
        await database.query(access, `alter table server drop column ${column}`);
      }
      await database.query(access, "delete from schema_version where version > 2");
      await database.query(
        access,
        `insert into server select id, 'server1', 'starting', 'http://127.0.0.1', 'https://127.0.0.1',
           '0.1.0', '', 3, 'abc', '[]', '2026-01-01T00:00:00.000Z' from cluster`,
      );

      await using upgraded = await openOdb(access);
      await assert.rejects(upgraded.checkSchema(), { code: "ODB_OLDER_SCHEMA" });
      assert.deepEqual(await upgraded.migrate(), { from: 2, to: latestVersion });

      const cluster = await upgraded.cluster("demo");
      const [server] = await cluster.listServers({ lostAfterMs: Infinity });
      assert.deepEqual(
        [server!.name, server!.state, server!.revision, server!.incarnation, server!.details],
        ["server1", "joining", 3, "", null],
      );
      assert.deepEqual(await cluster.listLeases(), []);
      assert.deepEqual(await cluster.listRuns({}), []);
    });

    if (name === "mysql") {
      it("goes on with an upgrade that came to no end", async () => {
        const { access, odb } = await openDemo(database);
        await database.query(access, "drop table job_run");
        await database.query(access, "alter table server drop column details");
        await database.query(access, "delete from schema_version where version > 2");

        assert.deepEqual(await odb.migrate(), { from: 2, to: latestVersion });

        const cluster = await odb.cluster("demo");
        assert.deepEqual(await cluster.listRuns({}), []);
        assert.deepEqual(await cluster.listServers(), []);
        await odb.close();
      });
    }
  });
}
