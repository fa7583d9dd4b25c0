import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import type { ClaimedRun, RunTerms } from "../../../src/odb/job-types.ts";
import type { ClusterStore } from "../../../src/odb/types.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";
import { claim, planRuns, server1, server2, settleOk, statesOf, terms } from "./job-fixtures.ts";

for (const { name, start } of databases) {
  describe(`${name}: policies of jobs`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("skips a time while an earlier run has not ended", async () => {
      const { odb, cluster } = await openDemo(database);
      const [first] = await planRuns(cluster, { inMs: -3_000 }, { inMs: -2_000 }, { inMs: -1_000 });

      const { claimed: [run] } = await claim(cluster, server1, 1);
      const { claimed, skipped } = await claim(cluster, server2);
      await settleOk(cluster, run!);

      assert.deepEqual(claimed, []);
      const reason = `Overlap: the run of ${first!.plannedAt} on server "server1" (${run!.id}) ` +
        "had not ended";
      assert.deepEqual(skipped.map((row) => [row.state, row.reason]), [
        ["skipped", reason],
        ["skipped", reason],
      ]);
      assert.deepEqual(await statesOf(cluster), ["ok", "skipped", "skipped"]);
      await odb.close();
    });

    it("queues times, and runs them one after the other in their order", async () => {
      const { odb, cluster } = await openDemo(database);
      const planned = await planRuns(cluster, ...queued([-4_000, -3_000, -2_000]));
      const order: string[] = [];
      const begin = async () => {
        const { claimed, skipped } = await claim(cluster);
        assert.deepEqual([claimed.length, skipped.length], [1, 0]);
        order.push(claimed[0]!.plannedAt);
        return claimed[0]!;
      };

      const first = await begin();
      const [waiting] = (await cluster.listRuns({ state: "planned" })).slice(-1);
      const due = await cluster.runDueInMs(); // waiting ones are not asked about again
      assert.deepEqual((await claim(cluster)).claimed, []);
      await settleOk(cluster, first);
      const second = await begin();
      const [late] = await planRuns(cluster, ...queued([-500]));
      await settleOk(cluster, second);
      await settleOk(cluster, await begin());
      await settleOk(cluster, await begin());

      assert.deepEqual(order, [...planned, late!].map(({ plannedAt }) => plannedAt));
      assert.match(waiting!.reason!, /^Waits for the end of the run of .* on server "server1"$/);
      assert.ok(due !== undefined && due > 0);
      assert.equal(await cluster.runDueInMs(), undefined);
      await odb.close();
    });

    it("does not let a queue grow for ever", async () => {
      const { odb, cluster } = await openDemo(database);
      const times = Array.from({ length: 1_003 }, (_, index) => index - 2_000);
      await planRuns(cluster, ...queued(times));

      const { claimed } = await claim(cluster, server1, 1_003);
      const { skipped } = await claim(cluster, server1, 1_003);

      assert.deepEqual([claimed.length, skipped.length], [1, 2]);
      assert.equal(skipped[0]!.reason, "Overlap: 1000 runs of the job wait for their turn already");
      assert.equal((await cluster.listRuns({ state: "planned", limit: 1_000 })).length, 1_000);
      await odb.close();
    });

    it("goes on with the next in the queue when the one before is called off", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, ...queued([-5_000, -4_000, -3_000, -2_000]));
      const queue = { ...terms, overlap: "queue" } as const;
      await cluster.createRun({ job: "close", terms: queue, by: "ops" });
      const { claimed: [first] } = await claimUntilNone(cluster);
      await settleOk(cluster, first!);
      const [, , , next] = await cluster.listRuns({ job: "close" }); // after three that wait

      await cluster.cancelRun(next!.id, "ops");
      const { claimed: [second] } = await claimUntilNone(cluster);
      await settleOk(cluster, second!);
      await cluster.pauseJob("close", "ops");
      const { claimed: [manual] } = await claimUntilNone(cluster);

      assert.ok(second!.plannedAt > next!.plannedAt);
      assert.deepEqual([second!.trigger, manual!.trigger], ["schedule", "manual"]);
      await odb.close();
    });

    it("allows several at a time where the job does", async () => {
      const { odb, cluster } = await openDemo(database);
      const allow = { terms: { overlap: "allow" } } as const;
      await planRuns(cluster, { ...allow, inMs: -2_000 }, { ...allow, inMs: -1_000 });

      const first = await claim(cluster, server1, 1);
      const second = await claim(cluster, server2);

      assert.deepEqual([first.claimed.length, second.claimed.length], [1, 1]);
      await odb.close();
    });

    it("cancels the run that runs when a later time comes, and then runs that one", async () => {
      const { odb, cluster } = await openDemo(database);
      const cancel = { terms: { overlap: "cancel", attemptsMax: 5 } } as const;
      await planRuns(cluster, { ...cancel, inMs: -9_000 });
      const { claimed: [first] } = await claim(cluster);
      const [second] = await planRuns(cluster, { ...cancel, inMs: -3_000 });
      await claim(cluster, server2);
      const [third] = await planRuns(cluster, { ...cancel, inMs: -1_000 });
      const { skipped } = await claim(cluster, server2);

      const told = await cluster.renewRuns([first!], 60_000);
      await cluster.settleRuns([{ claim: first!, outcome: { ok: false, error: "aborted" } }]);
      const { claimed: [last] } = await claim(cluster, server2);

      assert.deepEqual(told, { taken: [], cancelled: [first!.id] });
      assert.equal(skipped.length, 1);
      assert.equal(skipped[0]!.plannedAt, second!.plannedAt);
      assert.equal(skipped[0]!.reason, "Overlap: a later time took its place");
      assert.equal(last!.plannedAt, third!.plannedAt);
      assert.equal(
        (await cluster.getRun(first!.id)).reason,
        `Overlap: cancelled in favour of the run of ${second!.plannedAt}`,
      );
      assert.deepEqual(await statesOf(cluster), ["failed", "skipped", "running"]);
      await odb.close();
    });

    it("skips what was missed, and says by how much", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(
        cluster,
        ...late("skip", [-20_000]),
        ...late("skip", [-500]),
      );

      const { claimed, skipped } = await claim(cluster);

      assert.deepEqual([claimed.length, skipped.length], [1, 1]);
      assert.match(
        skipped[0]!.reason!,
        /^Missed: no server could begin it in time; it was \d+ ms late, and 5000 ms are allowed$/,
      );
      assert.deepEqual(await statesOf(cluster), ["skipped", "running"]);
      await odb.close();
    });

    it("runs once for all times that were missed", async () => {
      const { odb, cluster } = await openDemo(database);
      const planned = await planRuns(cluster, ...late("once", [-40_000, -30_000, -20_000]));

      const { claimed, skipped } = await claim(cluster);

      const latest = planned[2]!.plannedAt;
      assert.deepEqual(claimed.map(({ plannedAt }) => plannedAt), [latest]);
      assert.equal(skipped.length, 2);
      assert.match(
        skipped[0]!.reason!,
        new RegExp(`^Missed by \\d+ ms: the later time ${latest} stands for it$`),
      );
      await odb.close();
    });

    it("runs once for all, even when the servers see them one at a time", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, ...late("once", [-40_000, -30_000, -500]));

      const first = await claim(cluster, server1, 1);
      const second = await claim(cluster, server2, 1);
      const third = await claim(cluster, server1, 1);

      const counts = [first, second, third].map((
        { claimed, skipped },
      ) => [claimed.length, skipped.length]);
      assert.deepEqual(counts, [[0, 1], [0, 1], [1, 0]]);
      await odb.close();
    });

    it("runs all that was missed, one after the other although the job skips overlaps", async () => {
      const { odb, cluster } = await openDemo(database);
      const planned = await planRuns(cluster, ...late("all", [-40_000, -30_000, -20_000, -500]));
      const order: string[] = [];

      for (let count = 0; count < 3; count++) {
        const { claimed } = await claim(cluster);
        order.push(...claimed.map(({ plannedAt }) => plannedAt));
        await settleOk(cluster, ...claimed);
      }

      assert.deepEqual(order, planned.slice(0, 3).map(({ plannedAt }) => plannedAt));
      assert.deepEqual(await statesOf(cluster), ["ok", "ok", "ok", "skipped"]);
      await odb.close();
    });

    it("runs manual runs and retries whenever there is a server", async () => {
      const { odb, cluster } = await openDemo(database);
      const strict = { ...terms, missed: "skip", graceMs: 0, overlap: "allow" } as const;
      await cluster.createRun({ job: "close", terms: strict, by: "ops" });
      await planRuns(cluster, {
        job: "b",
        inMs: -2_000,
        terms: { ...strict, graceMs: 60_000, attemptsMax: 2 },
      });
      await settleFailed(cluster, (await claimAll(cluster)).find(({ job }) => job === "b")!);

      const { trigger } = (await claimAll(cluster))[0]!;

      assert.equal(trigger, "retry");
      assert.deepEqual(await statesOf(cluster), ["running"]);
      await odb.close();
    });

    it("tries again what failed, later each time, until no attempts are left", async () => {
      const { odb, cluster } = await openDemo(database);
      const [planned] = await planRuns(cluster, { terms: { attemptsMax: 3, retryMs: 1 } });

      const results = [];
      for (let attempt = 1; attempt <= 3; attempt++) {
        const [run] = await claimAll(cluster);
        assert.deepEqual([run!.attempt, run!.plannedAt], [attempt, planned!.plannedAt]);
        results.push(...await settleFailed(cluster, run!));
      }

      assert.deepEqual(results, ["retried", "retried", "failed"]);
      assert.deepEqual(await statesOf(cluster), ["failed", "failed", "failed"]);
      const rows = await cluster.listRuns({});
      assert.deepEqual(rows.map(({ trigger }) => trigger).toSorted(), [
        "retry",
        "retry",
        "schedule",
      ]);
      for (const { reason, plannerEpoch } of rows) {
        assert.deepEqual([reason, plannerEpoch], ["no stock", 1]);
      }
      await odb.close();
    });

    it("doubles the wait between attempts, up to an hour", async () => {
      const { odb, access, cluster } = await openDemo(database);
      await planRuns(cluster, { terms: { attemptsMax: 9, retryMs: 1_500_000 } });
      const waits = [];
      for (let attempt = 1; attempt <= 3; attempt++) {
        const { claimed: [run] } = await claim(cluster);
        await settleFailed(cluster, run!);
        const { finishedAt } = await cluster.getRun(run!.id);
        const [next] = await cluster.listRuns({ state: "planned" });
        waits.push(Date.parse(next!.dueAt) - Date.parse(finishedAt!));
        await database.query(
          access,
          "update job_run set wake_at = '2026-01-01T00:00:00.000Z' where state = 'planned'",
        );
      }

      assert.deepEqual(waits, [1_500_000, 3_000_000, 3_600_000]);
      await odb.close();
    });

    it("says that a run was lost with its server, and runs the next time", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, ...queued([-3_000, -2_000]));
      const { claimed: [run] } = await claim(cluster, server1, 1, 1);
      const lost = await poll(async () => {
        const { lost } = await claim(cluster, server2, 1);
        return lost.length > 0 ? lost : undefined;
      }, { timeoutMs: 5_000 });

      const [next] = await claimAll(cluster, server2);

      assert.deepEqual(lost!.map(({ id, state, server }) => [id, state, server]), [
        [run!.id, "lost", "server1"],
      ]);
      assert.match(lost![0]!.reason!, /^Server "server1" went away, or could not reach the ODB/);
      assert.notEqual(next!.id, run!.id);
      assert.deepEqual(await cluster.settleRuns([{ claim: run!, outcome: done }]), ["taken"]);
      assert.deepEqual(await cluster.renewRuns([run!], 60_000), {
        taken: [run!.id],
        cancelled: [],
      });
      assert.deepEqual(await statesOf(cluster), ["lost", "running"]);
      await odb.close();
    });

    it("tries a lost run again where the job wants it", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, { terms: { attemptsMax: 2, retryLost: true } });
      await claim(cluster, server1, 1, 1);

      const [again] = await claimAll(cluster, server2);
      const told = await cluster.settleRuns([{
        claim: again!,
        outcome: { ok: false, error: "its worker ended", isLost: true },
      }]);

      assert.deepEqual([again!.attempt, again!.trigger], [2, "retry"]);
      assert.deepEqual(told, ["failed"]);
      const states = await statesOf(cluster);
      assert.deepEqual(states, ["lost", "lost"]);
      await odb.close();
    });
  });
}

const done = { ok: true, output: null } as const;

function queued(times: readonly number[]) {
  return times.map((inMs) => ({ inMs, terms: { overlap: "queue" } as const }));
}

/** Runs that may be 5 s late. */
function late(missed: RunTerms["missed"], times: readonly number[]) {
  return times.map((inMs) => ({ inMs, terms: { missed, graceMs: 5_000 } }));
}

function settleFailed(cluster: ClusterStore, run: ClaimedRun) {
  return cluster.settleRuns([{ claim: run, outcome: { ok: false, error: "no stock" } }]);
}

/** Asks until nothing is due. */
async function claimUntilNone(cluster: ClusterStore) {
  const claimed: ClaimedRun[] = [];
  await poll(async () => {
    claimed.push(...(await claim(cluster)).claimed);
    return await cluster.runDueInMs() === 0 ? undefined : true;
  }, { timeoutMs: 5_000 });
  return { claimed };
}

/** Asks until there is something to run. */
async function claimAll(
  cluster: ClusterStore,
  holder = server1,
): Promise<readonly ClaimedRun[]> {
  const claimed = await poll(async () => {
    const { claimed } = await claim(cluster, holder);
    return claimed.length > 0 ? claimed : undefined;
  }, { timeoutMs: 5_000 });
  assert.ok(claimed);
  return claimed;
}
