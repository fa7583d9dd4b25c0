import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import type { ClaimedRun } from "../../../src/odb/job-types.ts";
import { openOdb } from "../../../src/odb/open.ts";
import type { ClusterStore } from "../../../src/odb/types.ts";
import { type DatabaseAccess, databases, openDemo, type TestDatabase } from "./databases.ts";
import {
  claim,
  holdScheduler,
  newRun,
  planOf,
  planRuns,
  progressOf,
  server1,
  server2,
  settleOk,
  statesOf,
} from "./job-fixtures.ts";

for (const { name, start } of databases) {
  describe(`${name}: claims of runs`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("hands two thousand runs to eight servers at once, each to one of them", async () => {
      const { access, odb, cluster } = await openDemo(database);
      await planMany(cluster, 2_000);

      const claimed = await withServers(access, 8, (store, server) => drain(store, server, 50));

      const ids = claimed.flat().map(({ id }) => id);
      assert.deepEqual([ids.length, new Set(ids).size], [2_000, 2_000]);
      assert.deepEqual(await statesOf(cluster, "job-0"), ["ok"]);
      assert.equal(await cluster.runDueInMs(), undefined);
      await odb.close();
    });

    it("never runs a job twice at a time, however many servers want to", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const queue = { terms: { overlap: "queue" } } as const;
      await planRuns(
        cluster,
        ...Array.from({ length: 40 }, (_, index) => ({ ...queue, inMs: index - 2_000 })),
      );
      const order: string[] = [];
      let runningMax = 0;

      await withServers(access, 6, async (store, server) => {
        await poll(async () => {
          const { claimed, skipped } = await claimAs(store, server, 3);
          assert.deepEqual(skipped, []);
          order.push(...claimed.map(({ plannedAt }) => plannedAt));
          const running = await store.listRuns({ job: "close", state: "running" });
          runningMax = Math.max(runningMax, running.length);
          await settleOk(store, ...claimed);
          return order.length === 40 ? true : undefined;
        }, { timeoutMs: 60_000, intervalMs: 1 });
      });

      assert.equal(runningMax, 1);
      assert.equal(order.length, 40);
      assert.deepEqual(order, order.toSorted());
      assert.deepEqual(new Set(await statesOf(cluster)), new Set(["ok"]));
      await odb.close();
    });

    it("lets nothing fall between servers that claim, settle, cancel and pause", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const jobs = Array.from({ length: 20 }, (_, index) => `job-${index}`);
      const overlaps = ["skip", "queue", "allow", "cancel"] as const;
      await planRuns(
        cluster,
        ...jobs.flatMap((job, index) =>
          Array.from({ length: 15 }, (_, turn) => ({
            job,
            inMs: turn - 1_000,
            terms: { overlap: overlaps[index % 4]!, attemptsMax: 2 },
          }))
        ),
      );

      await withServers(access, 6, async (store, server) => {
        await poll(async () => {
          const { claimed } = await claimAs(store, server, 10);
          await store.settleRuns(claimed.map((one, index) => ({
            claim: one,
            outcome: index % 3 === 0 ? { ok: false, error: "no" } : { ok: true, output: 1 },
          })));
          if (claimed[0] !== undefined) await store.cancelRun(claimed[0].id, server);
          return await store.runDueInMs() === undefined ? true : undefined;
        }, { timeoutMs: 60_000, intervalMs: 1 });
      });

      for (const state of ["planned", "running", "lost"] as const) {
        assert.deepEqual(await cluster.listRuns({ state }), [], state);
      }
      for (const job of jobs) {
        const first = (await cluster.listRuns({ job })).filter(({ attempt }) => attempt === 1);
        assert.equal(first.length, 15, job);
      }
      await odb.close();
    });

    it("gives back what has not begun, for others to take at once", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, {});
      const { claimed: [first] } = await claim(cluster, server1);

      await cluster.releaseRuns([first!]);
      const { claimed: [second] } = await claim(cluster, server2);
      await cluster.releaseRuns([first!]);
      const settled = await cluster.settleRuns([first!, second!].map((one) => ({
        claim: one,
        outcome: { ok: true, output: null },
      })));

      assert.equal(second!.id, first!.id);
      assert.equal(second!.epoch, first!.epoch + 1);
      assert.deepEqual(settled, ["taken", "ok"]);
      await odb.close();
    });

    it("knows what this life of a server has claimed, and no other", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, ...["a", "b", "c", "d"].map((job) => ({ job })));
      const { claimed: [first, second] } = await claim(cluster, server1, 2);
      await claim(cluster, { ...server1, incarnation: "later" }, 1);
      await claim(cluster, server2, 1);
      await settleOk(cluster, first!);

      const claims = await cluster.listClaims(server1);

      assert.deepEqual(claims, [{ id: second!.id, epoch: second!.epoch }]);
      await odb.close();
    });

    it("keeps claims while they are renewed", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, {});
      const { claimed: [run] } = await claim(cluster, server1, 1, 20_000);

      const renewed = await cluster.renewRuns([run!, { id: "nope", epoch: 1 }], 60_000);

      const due = await cluster.runDueInMs();
      assert.deepEqual(renewed, { taken: ["nope"], cancelled: [] });
      assert.ok(due! > 20_000 && due! <= 60_000);
      assert.deepEqual(await claim(cluster, server2), { claimed: [], skipped: [], lost: [] });
      await odb.close();
    });

    it("plans, claims and settles five thousand runs with two servers", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const begin = performance.now();
      await planMany(cluster, 5_000);
      const planned = performance.now();

      const claimed = await withServers(access, 2, (store, server) => drain(store, server, 200));

      const ms = (from: number, to: number) => `${Math.round(to - from)} ms`;
      const took = ms(planned, performance.now());
      console.log(`${name}: 5,000 runs planned in ${ms(begin, planned)}, run in ${took}`);
      assert.equal(new Set(claimed.flat().map(({ id }) => id)).size, 5_000);
      await odb.close();
    });
  });
}

/** Due runs of as many jobs, with the progress of each. */
async function planMany(cluster: ClusterStore, count: number): Promise<void> {
  const proof = await holdScheduler(cluster);
  const run = await newRun(cluster);
  const runs = Array.from({ length: count }, (_, index) => ({ ...run, job: `job-${index}` }));
  const progress = runs.map(({ job, plannedAt }) => progressOf(job, { plannedUntil: plannedAt }));
  assert.equal(await cluster.writePlan(proof, planOf(runs, { progress })), count);
}

/** Lets so many servers work at the same time, each over connections of its own. */
async function withServers<T>(
  access: DatabaseAccess,
  count: number,
  work: (store: ClusterStore, server: string) => Promise<T>,
): Promise<readonly T[]> {
  return await Promise.all(Array.from({ length: count }, async (_, index) => {
    await using odb = await openOdb(access);
    return await work(await odb.cluster("demo"), `server${index + 1}`);
  }));
}

function claimAs(store: ClusterStore, server: string, countMax: number) {
  return claim(store, { server, incarnation: "only" }, countMax);
}

/** Claims and settles until nothing is due. */
async function drain(
  store: ClusterStore,
  server: string,
  countMax: number,
): Promise<readonly ClaimedRun[]> {
  const all: ClaimedRun[] = [];
  await poll(async () => {
    const { claimed } = await claimAs(store, server, countMax);
    all.push(...claimed);
    await settleOk(store, ...claimed);
    return await store.runDueInMs() === undefined ? true : undefined;
  }, { timeoutMs: 60_000, intervalMs: 1 });
  return all;
}
