import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client } from "pg";
import { sha256Hex } from "../../../src/lib/canonical-json.ts";
import type { KeptAnswer, KeyClaim } from "../../../src/odb/idempotency-types.ts";
import type { LeaseHolder } from "../../../src/odb/lease-types.ts";
import { poll } from "../../../src/lib/wait.ts";
import { openOdb } from "../../../src/odb/open.ts";
import type { ClusterStore } from "../../../src/odb/types.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

const one: LeaseHolder = { server: "server1", incarnation: "a" };
const two: LeaseHolder = { server: "server2", incarnation: "b" };

function claim(cid: string, more: Partial<KeyClaim> = {}): KeyClaim {
  const id = sha256Hex("key");
  return { id, cid, fingerprint: sha256Hex("order"), repeatUnknown: false, ...more };
}

const answer: KeptAnswer = {
  status: 201,
  headers: [["content-type", "application/json"], ["x-note", "häßlich\u0000"]],
  body: "e30=",
};

async function report(
  cluster: ClusterStore,
  { server, incarnation }: LeaseHolder,
  replaces?: string,
): Promise<void> {
  const address = { url: "http://127.0.0.1:1", adminUrl: "https://127.0.0.1:2" };
  const running = { revision: 1, stateHash: "", failures: [], details: null };
  const life = { version: "1.0.0", startedAt: "2026-01-01T00:00:00.000Z", incarnation };
  await cluster.reportServer(
    { name: server, state: "up", ...address, ...running, ...life },
    replaces === undefined ? {} : { replaces },
  );
}

for (const { name, start } of databases) {
  describe(`${name}: idempotency keys`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    async function open() {
      const { odb, cluster, access } = await openDemo(database);
      await report(cluster, one);
      await report(cluster, two);
      return { cluster, access, [Symbol.asyncDispose]: () => odb.close() };
    }

    it("belong to one of twenty requests, and the others get its answer", async () => {
      await using demo = await open();
      const { cluster } = demo;
      const cids = Array.from({ length: 20 }, (_, index) => `cid-${index}`);

      const standings = await Promise.all(
        cids.map((cid, index) => cluster.claimKey(claim(cid), index % 2 === 0 ? one : two)),
      );
      const winner = standings.findIndex(({ state }) => state === "ours");
      const others = standings.filter(({ state }) => state === "running");
      await cluster.settleKey(claim(cids[winner]!), answer);

      assert.equal(others.length, 19);
      assert.deepEqual(await cluster.claimKey(claim("later"), two), { state: "done", answer });
    });

    it("are the same request's when it asks again", async () => {
      await using demo = await open();
      const { cluster } = demo;

      assert.deepEqual(await cluster.claimKey(claim("x"), one), { state: "ours" });
      assert.deepEqual(await cluster.claimKey(claim("x"), one), { state: "ours" });
    });

    it("are refused to another request, whatever became of the first", async () => {
      await using demo = await open();
      const { cluster } = demo;
      const other = claim("y", { fingerprint: sha256Hex("another order"), repeatUnknown: true });
      await cluster.claimKey(claim("x"), one);

      assert.deepEqual(await cluster.claimKey(other, two), { state: "reused" });
      await cluster.settleKey(claim("x"), answer);
      assert.deepEqual(await cluster.claimKey(other, two), { state: "reused" });
    });

    it("are free again when the request was not executed", async () => {
      await using demo = await open();
      const { cluster } = demo;
      await cluster.claimKey(claim("x"), one);

      await cluster.releaseKey(claim("not the holder"));
      assert.deepEqual(await cluster.claimKey(claim("y"), two), { state: "running" });
      await cluster.releaseKey(claim("x"));
      assert.deepEqual(await cluster.claimKey(claim("y"), two), { state: "ours" });
    });

    it("stay with an answer, whoever gives them back", async () => {
      await using demo = await open();
      const { cluster } = demo;
      await cluster.claimKey(claim("x"), one);
      await cluster.settleKey(claim("x"), { ...answer, body: null });

      await cluster.releaseKey(claim("x"));
      await cluster.loseKeys([claim("x")]);

      assert.deepEqual(await cluster.claimKey(claim("y"), one), {
        state: "done",
        answer: { ...answer, body: null },
      });
    });

    for (
      const [what, happens] of [
        ["started again", (cluster) => report(cluster, { ...one, incarnation: "c" }, "a")],
        [
          "said goodbye",
          (cluster) => cluster.setServerState({ name: "server1", incarnation: "a" }, "down"),
        ],
        ["was deleted", (cluster) => cluster.deleteServer("server1")],
      ] as readonly (readonly [string, (cluster: ClusterStore) => Promise<void>])[]
    ) {
      it(`say that nobody knows when the server that began ${what}`, async () => {
        await using demo = await open();
        const { cluster } = demo;
        await cluster.claimKey(claim("x"), one);
        assert.deepEqual(await cluster.claimKey(claim("y"), two), { state: "running" });

        await happens(cluster);

        assert.deepEqual(await cluster.claimKey(claim("y"), two), { state: "unknown", cid: "x" });
      });
    }

    it("say that nobody knows when the server that began has not been seen", async () => {
      await using demo = await open();
      const { cluster, access } = demo;
      await cluster.claimKey(claim("x"), one);

      await database.query(
        access,
        "update server set last_seen_at = '2026-01-01T00:00:00.000Z' where name = 'server1'",
      );

      assert.deepEqual(await cluster.claimKey(claim("y"), two), { state: "unknown", cid: "x" });
      // All may have been silent, because the ODB was away.
      const standing = await cluster.claimKey(claim("y"), two, { judgesSilence: false });
      assert.deepEqual(standing, { state: "running" });
      // It has not gone in its own eyes.
      assert.deepEqual(await cluster.claimKey(claim("y"), one), { state: "running" });
    });

    it("say that nobody knows what was lost with a worker, until it is said after all", async () => {
      await using demo = await open();
      const { cluster } = demo;
      await cluster.claimKey(claim("x"), one);

      await cluster.loseKeys([claim("x")]);
      assert.deepEqual(await cluster.claimKey(claim("y"), one), { state: "unknown", cid: "x" });
      await cluster.settleKey(claim("x"), answer);

      assert.deepEqual(await cluster.claimKey(claim("y"), one), { state: "done", answer });
    });

    it("pass to one of ten when what nobody knows may be repeated", async () => {
      await using demo = await open();
      const { cluster } = demo;
      await cluster.claimKey(claim("x"), one);
      await cluster.loseKeys([claim("x")]);
      const cids = Array.from({ length: 10 }, (_, index) => `again-${index}`);

      const standings = await Promise.all(
        cids.map((cid) => cluster.claimKey(claim(cid, { repeatUnknown: true }), two)),
      );
      await cluster.settleKey(claim("x"), { ...answer, status: 500 });

      assert.equal(standings.filter(({ state }) => state === "ours").length, 1);
      assert.equal(standings.filter(({ state }) => state === "running").length, 9);
      assert.deepEqual(await cluster.claimKey(claim("y"), one), { state: "running" });
    });

    it("are forgotten in time, those without an answer a day later", async () => {
      await using demo = await open();
      const { cluster, access } = demo;
      const done = claim("done", { id: sha256Hex("done") });
      await cluster.claimKey(done, one);
      await cluster.settleKey(done, answer);
      await cluster.claimKey(claim("begun"), one);
      const ago = new Date(Date.now() - 36 * 3_600_000).toISOString();
      await database.query(access, `update idempotency_key set changed_at = '${ago}'`);

      assert.equal(await cluster.pruneKeys(48 * 3_600_000), 0);
      assert.equal(await cluster.pruneKeys(24 * 3_600_000), 1);

      assert.deepEqual(await cluster.claimKey(claim("y"), one), { state: "running" });
      assert.deepEqual(await cluster.claimKey({ ...done, cid: "y" }, one), { state: "ours" });
    });

    it("are kept apart by cluster", async () => {
      await using demo = await open();
      const { cluster, access } = demo;
      await using odb = await openOdb(access);
      await odb.createCluster("other", { keyCheck: "sealed" });
      await cluster.claimKey(claim("x"), one);

      const other = await odb.cluster("other");
      assert.deepEqual(await other.claimKey(claim("y"), one), { state: "ours" });
    });
  });
}

describe("postgresql: a claim whose outcome is not known", () => {
  it("is found by the same claim, which waits until it is written", async () => {
    const database = await databases.find(({ name }) => name === "postgresql")!.start();
    const { odb, cluster, access } = await openDemo(database);
    const url = new URL(access.url);
    url.password = access.password ?? "";
    const writing = new Client({ connectionString: url.href });
    try {
      await cluster.claimKey(claim("x", { id: sha256Hex("another") }), one);
      await writing.connect();
      await writing.query(`set search_path to ${url.searchParams.get("schema")}`);
      await writing.query(`begin;
        insert into idempotency_key
          (cluster_id, id, fingerprint, cid, server, incarnation, state, changed_at)
        select cluster_id, '${claim("").id}', fingerprint, 'lost', server, incarnation, state,
          changed_at from idempotency_key`);

      const again = cluster.claimKey(claim("lost"), one);
      const waits = await poll(async () => {
        const rows = await database.query(access, "select 1 from pg_locks where not granted");
        return rows.length > 0 || undefined;
      }, { timeoutMs: 10_000 });
      await writing.query("commit");

      assert.ok(waits);
      assert.deepEqual(await again, { state: "ours" });
    } finally {
      await writing.end();
      await odb.close();
      await database.stop();
    }
  });
});
