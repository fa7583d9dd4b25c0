import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import type { ClusterStore, ObjectChange } from "../../../src/odb/types.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";
import {
  change,
  claim,
  gone,
  holdScheduler,
  planOf,
  planRuns,
  progressOf,
  put,
  server2,
  settleOk,
  statesOf,
  terms,
} from "./job-fixtures.ts";

const longAgo = "2026-01-01T00:00:00.000Z";
const farAhead = "2099-01-01T00:00:00.000Z";

for (const { name, start } of databases) {
  describe(`${name}: what is planned of a job after a change`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("begins with the change, whenever it is planned", async () => {
      const { odb, cluster } = await openDemo(database);
      const times: string[] = [await cluster.databaseTime()];
      const note = async () => times.push((await rowOf(cluster)).plannedUntil);
      const changes = [put("close"), put("close", { every: "2s" }), put("close", { every: "3s" })];

      for (const one of changes) {
        await change(cluster, one);
        await note();
        const row = await rowOf(cluster);
        assert.equal(row.nextAt, row.plannedUntil);
        // The next change comes when all was planned, or when the schedule has ended.
        const nextAt = times.length === 2 ? farAhead : null;
        await planned(cluster, { plannedUntil: longAgo, nextAt });
      }
      times.push(await cluster.databaseTime());

      assert.deepEqual(times, times.toSorted());
      await odb.close();
    });

    it("has what nobody had planned before, too", async () => {
      const { odb, cluster } = await openDemo(database);
      await change(cluster, put("close"));
      const behind = { plannedUntil: longAgo, nextAt: "2026-01-01T00:00:01.000Z" };
      await planned(cluster, behind);

      await change(cluster, put("close", { every: "2s" }));

      const { plannedUntil, nextAt } = await rowOf(cluster);
      assert.deepEqual({ plannedUntil, nextAt }, behind);
      await odb.close();
    });

    it("has nothing of the time in which the job was inactive, or another one", async () => {
      const { odb, cluster } = await openDemo(database);
      const behind = { plannedUntil: longAgo, nextAt: longAgo, plannedCount: 3 };
      await change(cluster, put("close", { active: false }));
      await planned(cluster, behind);
      const begin = await cluster.databaseTime();

      await change(cluster, put("close"));
      const activated = await rowOf(cluster);
      await planned(cluster, behind);
      await change(cluster, gone("close"));
      await change(cluster, put("close"));
      const made = await rowOf(cluster);

      assert.ok(activated.plannedUntil >= begin && made.plannedUntil >= activated.plannedUntil);
      assert.deepEqual([activated.plannedCount, activated.scheduleHash], [3, "hash"]);
      assert.deepEqual([made.plannedCount, made.scheduleHash], [0, ""]);
      await odb.close();
    });

    it("follows the calendars of the job at once", async () => {
      const { odb, cluster } = await openDemo(database);
      const calendars = [{ field: "calendars", kinds: ["Calendar"], name: "holidays" }];
      const using = (job: string, active: boolean) => ({
        ...put(job, { active }),
        references: calendars,
      });
      await change(cluster, holidays(["01-01"]), put("other"));
      await change(cluster, using("close", true), using("idle", false));
      await planRuns(cluster, {}, { inMs: 60_000 }, { job: "other", inMs: 60_000 });
      const idle = await rowOf(cluster, "idle");

      await change(cluster, holidays(["01-02"]));

      assert.deepEqual(await statesOf(cluster), ["planned"]);
      assert.deepEqual(await statesOf(cluster, "other"), ["planned"]);
      assert.deepEqual(await rowOf(cluster, "idle"), idle);
      assert.equal((await claim(cluster)).claimed.length, 1);
      await odb.close();
    });
  });

  describe(`${name}: runs whose job changes while they are claimed`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    const ends: readonly {
      readonly how: string;
      readonly end: (cluster: ClusterStore) => Promise<void>;
      readonly reason: string;
    }[] = [
      {
        how: "deleted",
        end: (cluster) => change(cluster, gone("close")),
        reason: "The job was deleted",
      },
      {
        how: "made inactive",
        end: (cluster) => change(cluster, put("close", { active: false })),
        reason: "The job is not active",
      },
      {
        how: "paused",
        end: (cluster) => cluster.pauseJob("close", "operator/ana"),
        reason: "The job is paused by operator/ana",
      },
    ];

    for (const { how, end, reason } of ends) {
      it(`are not tried again, nor begun later, when it is ${how}`, async () => {
        const { odb, cluster } = await openDemo(database);
        const twice = { terms: { attemptsMax: 2, overlap: "allow" } } as const;
        await planRuns(cluster, { ...twice, inMs: -2_000 }, twice);
        const { claimed: [failing, waiting] } = await claim(cluster);

        await end(cluster);
        await cluster.settleRuns([{ claim: failing!, outcome: { ok: false, error: "no" } }]);
        await cluster.releaseRuns([waiting!]);
        const { claimed, skipped } = await claim(cluster);

        assert.deepEqual(claimed, []);
        assert.deepEqual(skipped.map((run) => [run.trigger, run.reason]).toSorted(), [
          ["retry", reason],
          ["schedule", reason],
        ]);
        assert.equal(await cluster.runDueInMs(), undefined);
        await odb.close();
      });
    }

    if (name !== "sqlite") {
      it("are decided about when the change is over, which does not have to wait", async () => {
        const { access, odb, cluster } = await openDemo(database);
        await planRuns(cluster, { terms: { attemptsMax: 2 } });
        const { claimed } = await claim(cluster);
        await cluster.settleRuns(
          claimed.map((one) => ({ claim: one, outcome: { ok: false, error: "no" } })),
        );
        // As a change does, before it looks for runs to take back.
        const changing = "update job_progress set version = version + 1 where job = 'close'";
        const transaction = await database.begin!(access, changing);

        const meanwhile = await claim(cluster);
        await transaction.end();
        const { claimed: [retry] } = await claim(cluster);

        assert.deepEqual([meanwhile.claimed, meanwhile.skipped], [[], []]);
        assert.deepEqual([retry!.job, retry!.trigger], ["close", "retry"]);
        await odb.close();
      });
    }

    it("begin later when an operator asked for them, unless it is deleted", async () => {
      const { odb, cluster } = await openDemo(database);
      await change(cluster, put("close"));
      await cluster.createRun({ job: "close", terms, by: "operator/bo" });
      const { claimed: first } = await claim(cluster);

      await cluster.pauseJob("close", "operator/ana");
      await cluster.releaseRuns(first);
      const { claimed: second } = await claim(cluster);
      await change(cluster, gone("close"));
      await cluster.releaseRuns(second);
      const { claimed: third, skipped } = await claim(cluster);

      assert.deepEqual([first.length, second.length, third.length], [1, 1, 0]);
      assert.deepEqual(skipped.map((run) => run.reason), ["The job was deleted"]);
      await odb.close();
    });

    it("begin later although they are late by now, when they were claimed in time", async () => {
      const { access, odb, cluster } = await openDemo(database);
      const queue = { terms: { overlap: "queue", missed: "skip" } } as const;
      await planRuns(cluster, { ...queue, inMs: -3_000 }, queue);
      const { claimed: [first] } = await claim(cluster);
      const shorten = `replace(terms, '"graceMs":60000', '"graceMs":1')`;
      await database.query(access, `update job_run set terms = ${shorten}`);

      await cluster.releaseRuns([first!]);
      const { reason } = await cluster.getRun(first!.id);
      const { claimed: [again] } = await claim(cluster, server2);
      await settleOk(cluster, again!);
      const { claimed: [next] } = await claim(cluster);

      assert.equal(reason, "Given back by a server that could not begin it");
      assert.equal(again!.id, first!.id);
      assert.ok(next!.plannedAt > first!.plannedAt);
      await odb.close();
    });

    it("let the next in the queue have its turn when they are skipped", async () => {
      const { odb, cluster } = await openDemo(database);
      const queue = { ...terms, overlap: "queue" } as const;
      await planRuns(cluster, { terms: queue });
      const { claimed: [first] } = await claim(cluster);
      const asked = await cluster.createRun({ job: "close", terms: queue, by: "ops" });
      await cluster.pauseJob("close", "ops");
      await poll(async () => {
        await claim(cluster);
        return await cluster.runDueInMs() !== 0 || undefined;
      }, { timeoutMs: 5_000 });

      await cluster.releaseRuns([first!]);
      const { skipped } = await claim(cluster);
      const { claimed: [next] } = await claim(cluster);

      assert.deepEqual(skipped.map(({ id }) => id), [first!.id]);
      assert.equal(next!.id, asked);
      await odb.close();
    });

    it("are skipped when they were to be cancelled, and the next has its turn", async () => {
      const { odb, cluster } = await openDemo(database);
      const queue = { terms: { overlap: "queue" } } as const;
      await planRuns(cluster, { ...queue, inMs: -3_000 }, queue);
      const { claimed: [first] } = await claim(cluster);
      await cluster.cancelRun(first!.id, "ops");

      await cluster.releaseRuns([first!]);
      const { state, reason, server, startedAt } = await cluster.getRun(first!.id);
      const { claimed: [next] } = await claim(cluster);

      assert.deepEqual([state, reason, server, startedAt], [
        "skipped",
        "Cancelled by ops",
        null,
        null,
      ]);
      assert.ok(next!.plannedAt > first!.plannedAt);
      await odb.close();
    });

    it("are open until they have ended", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, { job: "a" }, { job: "b", inMs: 60_000 }, { job: "c" });
      const { claimed } = await claim(cluster);
      await settleOk(cluster, claimed.find(({ job }) => job === "c")!);

      assert.deepEqual((await cluster.openJobs(["a", "b", "c", "d"])).toSorted(), ["a", "b"]);
      assert.deepEqual(await cluster.openJobs([]), []);
      await odb.close();
    });
  });
}

function holidays(dates: readonly string[]): ObjectChange {
  return { op: "put", kind: "Calendar", name: "holidays", spec: { dates }, references: [] };
}

async function rowOf(cluster: ClusterStore, job = "close") {
  return (await cluster.listJobRows()).find((row) => row.job === job)!;
}

/** Writes down how far the job is planned. */
async function planned(
  cluster: ClusterStore,
  progress: Partial<Parameters<typeof progressOf>[1]>,
): Promise<void> {
  const proof = await holdScheduler(cluster);
  const { version } = await rowOf(cluster);
  const row = progressOf("close", { ...progress, version });
  await cluster.writePlan(proof, planOf([], { progress: [row] }));
}
