import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sha256Hex } from "../../../src/lib/canonical-json.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { Session } from "../../../src/odb/drivers/backend.ts";
import { createMysqlBackend } from "../../../src/odb/drivers/mysql.ts";
import { createPostgresqlBackend } from "../../../src/odb/drivers/postgresql.ts";
import { parseOdbUrl } from "../../../src/odb/url.ts";
import { type DatabaseAccess, databases, openDemo, type TestDatabase } from "./databases.ts";

/** Whether somebody waits for a lock. */
const waiters = {
  postgresql: "select 1 from pg_stat_activity where wait_event_type = 'Lock'",
  mysql: "select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'",
};

/** A session past the ODB, in a transaction. */
async function beginElsewhere({ url, password }: DatabaseAccess): Promise<Session> {
  const target = parseOdbUrl(url);
  assert.ok(target.dialect !== "sqlite");
  const create = target.dialect === "mysql" ? createMysqlBackend : createPostgresqlBackend;
  const backend = create(target, { password: password!, lockTimeoutMs: 8_000 });
  const session = await backend.connect();
  for (const statement of backend.begin.write) await session.query(statement, []);
  return session;
}

const bundleOf = (hash: string) => `(select id from bundle where hash = '${hash}')`;

/** As deploying a bundle once more. */
function deployStatements(hash: string): readonly string[] {
  return [
    "update cluster set revision = revision + 1",
    `insert into deployment
       (cluster_id, file, revision, bundle_id, services, deployed_at, deployed_by)
     select id, 'crm.ts', revision, ${bundleOf(hash)}, '[]', '', 'b' from cluster`,
    "update deployed_file set deployment_id = (select max(id) from deployment)",
  ];
}

// SQLite has one writer at a time.
for (const { name, start } of databases.filter(({ name }) => name !== "sqlite")) {
  describe(`${name}: pruning bundles`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("keeps the one that is being deployed again at the same time", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const hashes = ["v1", "v2", "v3"].map(sha256Hex);
      for (const code of ["v1", "v2", "v3"]) {
        const bundle = { file: "crm.ts", hash: sha256Hex(code) };
        await cluster.storeBundle({ ...bundle, code, sourceMap: "{}" }, "a");
        await cluster.deploy([{ ...bundle, services: [] }], "a");
      }
      const deploying = await beginElsewhere(access);
      for (const statement of deployStatements(hashes[0]!)) await deploying.query(statement, []);

      let isPruned = false;
      const pruning = cluster.pruneBundles("crm.ts", 2).finally(() => isPruned = true);
      const isWaiting = async () =>
        isPruned || (await database.query(access, waiters[name as keyof typeof waiters]))[0];
      await poll(isWaiting, { timeoutMs: 5_000, intervalMs: 10 });
      await deploying.query("commit", []);
      await pruning;

      const kept = await Promise.all(hashes.map((hash) => cluster.getBundle(hash)));
      assert.deepEqual(kept.map((bundle) => bundle?.code), ["v1", undefined, "v3"]);
      assert.equal(await cluster.revision(), 4);
      deploying.destroy();
      await odb.close();
    });
  });
}
