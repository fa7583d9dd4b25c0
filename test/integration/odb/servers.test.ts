import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import type { ServerReport } from "../../../src/odb/types.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

const report: ServerReport = {
  name: "server1",
  state: "up",
  url: "http://127.0.0.1:17010",
  adminUrl: "https://127.0.0.1:17110",
  version: "0.1.0",
  startedAt: "2026-01-01T00:00:00.000Z",
  revision: 7,
  stateHash: "abc",
  failures: [{ kind: "RestChannel", name: "r", error: 'path "/" is taken \u{1F680}' }],
  incarnation: "b1946ac9",
  details: { workers: [{ index: 1, revision: 7 }] },
};

for (const { name, start } of databases) {
  describe(`${name}: servers`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("adds a server at its first report and updates it at the next", async () => {
      const { odb, cluster } = await openDemo(database);

      await Promise.all([1, 2, 3].map(() => cluster.reportServer(report)));
      const [first] = await cluster.listServers();
      await cluster.reportServer({ ...report, revision: 8, failures: [] });
      const [second, ...others] = await cluster.listServers();

      assert.deepEqual({ ...first, lastSeenAt: "" }, { ...report, lastSeenAt: "" });
      assert.equal(second!.revision, 8);
      assert.ok(second!.lastSeenAt >= first!.lastSeenAt);
      assert.deepEqual(others, []);
      await odb.close();
    });

    it("lists a silent server as lost, but not one that left", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.reportServer(report);
      await cluster.reportServer({ ...report, name: "server2" });
      assert.equal(await cluster.setServerState({ ...report, name: "server2" }, "down"), true);

      const lost = await poll(async () => {
        const servers = await cluster.listServers({ lostAfterMs: 1 });
        return servers[0]!.state === "lost" ? servers : undefined;
      }, { timeoutMs: 5_000 });

      assert.deepEqual(lost?.map(({ state }) => state), ["lost", "down"]);
      const servers = await cluster.listServers();
      assert.deepEqual(servers.map(({ state }) => state), ["up", "down"]);
      await odb.close();
    });

    it("leaves a row to the life that has it, until that is gone", async () => {
      const { odb, cluster } = await openDemo(database);
      const other = { ...report, incarnation: "another", adminUrl: "https://10.0.0.2:17110" };
      const owner = async () => (await cluster.listServers())[0]!.incarnation;

      assert.equal(await cluster.reportServer(report), true);
      assert.equal(await cluster.reportServer(other), false);
      assert.equal(await cluster.setServerState(other, "down"), false);
      assert.equal(await owner(), report.incarnation);

      assert.equal(await cluster.reportServer(other, { replaces: report.incarnation }), true);
      assert.equal(await cluster.reportServer(report), false);
      assert.equal(await owner(), other.incarnation);

      await cluster.setServerState(other, "down");
      assert.equal(await cluster.reportServer(report), true);
      const lost = () => cluster.reportServer(other, { lostAfterMs: 1 });
      assert.ok(await poll(async () => await lost() || undefined, { timeoutMs: 5_000 }));
      await odb.close();
    });

    it("deletes a server, and names the nearest for one that is not there", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.reportServer(report);

      const missing = {
        code: "ODB_NO_OBJECT",
        message: 'Server "server9" does not exist, did you mean "server1"?',
      };
      await assert.rejects(cluster.deleteServer("server9"), missing);
      await cluster.deleteServer("server1");

      assert.deepEqual(await cluster.listServers(), []);
      await odb.close();
    });
  });
}
