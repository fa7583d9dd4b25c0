import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import type { NewRun } from "../../../src/odb/job-types.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";
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
  terms,
} from "./job-fixtures.ts";

for (const { name, start } of databases) {
  describe(`${name}: jobs`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("knows the last run of each job that is more than planned", async () => {
      const { odb, cluster } = await openDemo(database);
      const spec = { service: "billing.close", every: "1h" };
      const jobs = ["close", "never", "Öl \u{1F680}"];
      await cluster.change(
        jobs.map((job) => ({ op: "put", kind: "Job", name: job, spec, references: [] })),
        { by: "ana" },
      );
      await planRuns(cluster, { inMs: -3_000 }, { inMs: -2_000 }, { job: jobs[2]!, inMs: -1_000 });
      const { claimed } = await claim(cluster);
      await settleOk(cluster, ...claimed);
      await planRuns(cluster, { inMs: 60_000 }, { job: "never", inMs: 60_000 });

      const runs = await cluster.lastRuns(["never", ...jobs, "nowhere"]);

      const newest = await Promise.all(
        [jobs[0]!, jobs[2]!].map(async (job) =>
          (await cluster.listRuns({ job, hasBegun: true, limit: 1 }))[0]!
        ),
      );
      const byJob = (a: { readonly job: string }, b: { readonly job: string }) =>
        a.job < b.job ? -1 : 1;
      assert.deepEqual(runs.toSorted(byJob), newest.toSorted(byJob));
      assert.deepEqual(await cluster.lastRuns([]), []);
      await odb.close();
    });

    it("plans a run, hands it to one server, and keeps what came of it", async () => {
      const { odb, cluster } = await openDemo(database);
      assert.equal(await cluster.runDueInMs(), undefined);
      const [planned] = await planRuns(cluster, {});

      const due = await cluster.runDueInMs();
      const [first, second] = [await claim(cluster), await claim(cluster, server2)];
      const [run] = first.claimed;
      const running = await cluster.getRun(run!.id);
      const settled = await cluster.settleRuns([
        { claim: run!, outcome: { ok: true, output: { closed: 7 } } },
      ]);

      assert.equal(due, 0);
      const { id, epoch, ...given } = run!;
      assert.deepEqual(given, {
        job: "close",
        service: "billing.close",
        input: terms.input,
        timeoutMs: 30_000,
        plannedAt: planned!.plannedAt,
        trigger: "schedule",
        attempt: 1,
        attemptsMax: 1,
      });
      assert.deepEqual([second.claimed, first.skipped, first.lost], [[], [], []]);
      assert.deepEqual([running.state, running.server, running.epoch], [
        "running",
        "server1",
        epoch,
      ]);
      assert.equal(running.cid, id);
      assert.equal("output" in running, false);
      assert.deepEqual(settled, ["ok"]);
      const done = await cluster.getRun(id);
      assert.deepEqual([done.state, done.output, done.outputLength], ["ok", { closed: 7 }, 12]);
      assert.equal(done.plannerEpoch, 1);
      assert.ok(done.durationMs !== null && done.durationMs >= 0);
      assert.ok(done.startedAt! >= done.dueAt && done.finishedAt! >= done.startedAt!);
      assert.equal(await cluster.runDueInMs(), undefined);
      await odb.close();
    });

    it("writes no plan for a lease that is lost, taken over or expired", async () => {
      const { odb, cluster } = await openDemo(database);
      const held = await holdScheduler(cluster);
      const plan = planOf([await newRun(cluster)], { progress: [progressOf("close")] });
      const stale = [
        { ...held, epoch: held.epoch + 1 },
        { ...held, holder: server2 },
        { ...held, holder: { ...server1, incarnation: "reborn" } },
        { ...held, name: "other" },
      ];
      for (const proof of stale) {
        await assert.rejects(cluster.writePlan(proof, plan), { code: "LEASE_LOST" });
      }

      await cluster.releaseLease(held, "released");
      await assert.rejects(cluster.writePlan(held, plan), {
        code: "LEASE_LOST",
        message: 'Server "server1" does not hold the lease "scheduler" with epoch 1 any more',
      });
      const next = await cluster.acquireLease({ name: "scheduler", holder: server2, ttlMs: 1 });
      const expired = { ...next!, holder: server2 };
      await poll(async () => {
        const [row] = await cluster.listLeases();
        return row!.state === "expired" ? true : undefined;
      }, { timeoutMs: 5_000 });
      await assert.rejects(cluster.writePlan(expired, plan), { code: "LEASE_LOST" });

      assert.deepEqual(await cluster.listRuns({}), []);
      assert.deepEqual(await cluster.listJobRows(), []);
      await odb.close();
    });

    it("has one row for a time, however often and by whomever it is planned", async () => {
      const { odb, cluster } = await openDemo(database);
      const first = await holdScheduler(cluster);
      const runs = [await newRun(cluster, { inMs: -2_000 }), await newRun(cluster)];
      const counts = [await cluster.writePlan(first, planOf(runs))];
      await cluster.releaseLease(first, "released");
      const second = await holdScheduler(cluster);
      const later = await newRun(cluster, { inMs: 60_000 });
      const changed: readonly NewRun[] = runs.map((run) => ({
        ...run,
        terms: { ...terms, service: "other" },
      }));
      counts.push(await cluster.writePlan(second, planOf([...changed, later])));

      assert.deepEqual(counts, [2, 1]);
      const rows = await cluster.listRuns({});
      assert.deepEqual(rows.map(({ plannedAt, plannerEpoch }) => [plannedAt, plannerEpoch]), [
        [later.plannedAt, 2],
        [runs[1]!.plannedAt, 1],
        [runs[0]!.plannedAt, 1],
      ]);
      assert.equal((await cluster.getRun(rows[1]!.id)).service, "billing.close");
      await odb.close();
    });

    it("keeps skipped times with their reason, and what is known of each job", async () => {
      const { odb, cluster } = await openDemo(database);
      const proof = await holdScheduler(cluster);
      const reason = "Calendar holidays excludes it";
      const run: NewRun = { ...await newRun(cluster), state: "skipped", reason };

      const progress = progressOf("close");
      await cluster.writePlan(proof, planOf([run], { progress: [progress, progressOf("b")] }));
      const moved = { ...progress, plannedCount: 9, nextAt: null };
      await cluster.writePlan(proof, planOf([], { progress: [moved] }));

      const [skipped] = await cluster.listRuns({ state: "skipped" });
      assert.deepEqual([skipped!.reason, skipped!.cid], [reason, null]);
      assert.equal(await cluster.runDueInMs(), undefined);
      const pause = { paused: false, pausedBy: null, pausedAt: null, version: 1 };
      assert.deepEqual(await cluster.listJobRows(), [
        { ...progressOf("b"), ...pause },
        { ...moved, ...pause },
      ]);
      await odb.close();
    });

    it("refuses a plan that was made before the last one, and comes late", async () => {
      const { odb, cluster } = await openDemo(database);
      const proof = await holdScheduler(cluster);
      const [run, later, late] = [
        await newRun(cluster, { inMs: 30_000 }),
        await newRun(cluster, { inMs: 60_000 }),
        await newRun(cluster, { inMs: 90_000 }),
      ];
      const progress = { ...progressOf("close"), version: 0 };
      await cluster.writePlan(proof, planOf([run], { progress: [progress] }));
      const [row] = await cluster.listJobRows();
      const next = { ...progress, version: row!.version, plannedCount: 2 };
      await cluster.writePlan(proof, planOf([later], { progress: [next] }));

      const dropPlanned = [{ job: "close", after: null }];
      const old = { ...next, plannedCount: 1 };
      await cluster.writePlan(proof, planOf([late], { progress: [old], dropPlanned }));

      const runs = await cluster.listRuns({});
      assert.deepEqual(runs.map(({ plannedAt }) => plannedAt), [later.plannedAt, run.plannedAt]);
      assert.equal((await cluster.listJobRows())[0]!.plannedCount, 2);
      await odb.close();
    });

    it("drops what a plan says, but for manual runs and what has begun", async () => {
      const { odb, cluster } = await openDemo(database);
      const allow = { terms: { overlap: "allow" } } as const;
      const runs = await planRuns(
        cluster,
        { ...allow, inMs: -3_000 },
        { ...allow, inMs: -2_000 },
        { ...allow, inMs: 30_000 },
        { job: "other", inMs: 30_000 },
      );
      await claim(cluster, server1, 1);
      await cluster.createRun({ job: "close", terms, by: "ops" });
      const proof = await holdScheduler(cluster);
      const dropAfter = (after: string | null) =>
        cluster.writePlan(proof, planOf([], { dropPlanned: [{ job: "close", after }] }));

      await dropAfter(runs[1]!.plannedAt);
      const some = await statesOf(cluster);
      await dropAfter(null);
      const none = await statesOf(cluster);

      assert.deepEqual(some, ["running", "planned", "planned"]);
      assert.deepEqual(none, ["running", "planned"]);
      assert.deepEqual(await statesOf(cluster, "other"), ["planned"]);
      await odb.close();
    });

    it("pauses a job, and resumes it without what it missed", async () => {
      const { odb, cluster } = await openDemo(database);
      const runs = await planRuns(cluster, { inMs: 5_000 }, { inMs: 10_000 });
      const proof = await holdScheduler(cluster);
      const until = runs[1]!.plannedAt;
      const progress = progressOf("close", { plannedUntil: until, plannedCount: 7, nextAt: until });
      await cluster.writePlan(proof, planOf([], { progress: [progress] }));
      await cluster.createRun({ job: "close", terms, by: "ops" });
      const [before] = await cluster.listJobRows();

      await cluster.pauseJob("close", "ops");
      await cluster.pauseJob("close", "somebody else");
      const [paused] = await cluster.listJobRows();
      // Two planners that have not heard of it: one begins anew, one goes on.
      const late = await newRun(cluster, { inMs: 15_000 });
      await cluster.writePlan(
        proof,
        planOf([late], { progress: [{ ...progress, plannedCount: 8 }] }),
      );
      const states = await statesOf(cluster);
      const resumedAfter = await cluster.databaseTime();
      await cluster.resumeJob("close");
      const stale = { ...progress, plannedCount: 9, version: before!.version };
      await cluster.writePlan(proof, planOf([late], { progress: [stale] }));

      assert.deepEqual([paused!.paused, paused!.pausedBy], [true, "ops"]);
      assert.equal(paused!.plannedCount, 5);
      assert.ok(paused!.plannedUntil < runs[0]!.plannedAt);
      assert.deepEqual(states, ["planned"]); // the manual one
      assert.deepEqual(await statesOf(cluster), ["planned"]);
      const [resumed] = await cluster.listJobRows();
      assert.deepEqual([resumed!.paused, resumed!.pausedBy, resumed!.pausedAt], [
        false,
        null,
        null,
      ]);
      assert.equal(resumed!.plannedCount, 5);
      assert.ok(resumed!.plannedUntil >= resumedAfter);
      assert.equal(resumed!.nextAt, resumed!.plannedUntil);
      const version = resumed!.version;
      await cluster.writePlan(proof, planOf([late], { progress: [{ ...stale, version }] }));
      assert.deepEqual(await statesOf(cluster), ["planned", "planned"]);
      await odb.close();
    });

    it("pauses a job that was never planned, and does not begin an ended one again", async () => {
      const { odb, cluster } = await openDemo(database);
      const proof = await holdScheduler(cluster);
      await cluster.pauseJob("new", "ops");
      await cluster.writePlan(
        proof,
        planOf([], { progress: [progressOf("over", { nextAt: null })] }),
      );

      await cluster.pauseJob("over", "ops");
      await cluster.resumeJob("over");
      await cluster.resumeJob("never heard of");

      const rows = await cluster.listJobRows();
      assert.deepEqual(rows.map(({ job, paused, nextAt }) => [job, paused, nextAt]), [
        ["new", true, null],
        ["over", false, null],
      ]);
      await odb.close();
    });

    it("skips the retries of a paused job", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, { terms: { attemptsMax: 2, retryMs: 60_000 } });
      const { claimed } = await claim(cluster);
      await cluster.settleRuns([{ claim: claimed[0]!, outcome: { ok: false, error: "x" } }]);

      await cluster.pauseJob("close", "ops");

      assert.deepEqual(await statesOf(cluster), ["failed", "skipped"]);
      const [skipped] = await cluster.listRuns({ state: "skipped" });
      assert.equal(skipped!.reason, "The job was paused by ops");
      await odb.close();
    });

    it("runs what an operator asks for, as often as asked", async () => {
      const { odb, cluster } = await openDemo(database);
      const free = { ...terms, overlap: "allow" } as const;
      const ids = await Promise.all(
        [1, 2, 3, 4, 5].map(() => cluster.createRun({ job: "close", terms: free, by: "ops" })),
      );

      const claimed = await poll(async () => {
        const due = await cluster.runDueInMs();
        return due === 0 ? (await claim(cluster)).claimed : undefined;
      }, { timeoutMs: 5_000 });

      assert.deepEqual(claimed!.map(({ id }) => id).toSorted(), ids.toSorted());
      const run = await cluster.getRun(ids[0]!);
      assert.deepEqual([run.trigger, run.requestedBy, run.plannerEpoch], ["manual", "ops", 0]);
      await odb.close();
    });

    it("cancels what waits and what runs, and nothing that is over", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, { terms: { attemptsMax: 3 } }, { inMs: 60_000 });
      const { claimed: [run] } = await claim(cluster);
      const [waiting] = await cluster.listRuns({ state: "planned" });

      assert.equal(await cluster.cancelRun(waiting!.id, "ops"), true);
      assert.equal(await cluster.cancelRun(waiting!.id, "ops"), false);
      const calm = await cluster.renewRuns([run!], 60_000);
      assert.equal(await cluster.cancelRun(run!.id, "ops"), true);
      const renewed = await cluster.renewRuns([run!], 60_000);
      const settled = await cluster.settleRuns([
        { claim: run!, outcome: { ok: false, error: "aborted" } },
      ]);

      assert.deepEqual(calm, { taken: [], cancelled: [] });
      assert.deepEqual(renewed, { taken: [], cancelled: [run!.id] });
      assert.deepEqual(settled, ["failed"]); // and is not tried again
      assert.equal(await cluster.cancelRun(run!.id, "ops"), false);
      const rows = await cluster.listRuns({});
      assert.deepEqual(rows.map(({ state, reason }) => [state, reason]), [
        ["skipped", "Cancelled by ops"],
        ["failed", "Cancelled by ops"],
      ]);
      await assert.rejects(cluster.cancelRun("nope", "ops"), { code: "RUN_UNKNOWN" });
      await assert.rejects(cluster.getRun("nope"), { code: "RUN_UNKNOWN" });
      await odb.close();
    });

    it("lists runs newest first, by job and by state", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(
        cluster,
        { job: "a", inMs: -3_000 },
        { job: "b", inMs: -2_000 },
        { job: "a", inMs: 60_000 },
      );
      const { claimed } = await claim(cluster);
      await settleOk(cluster, claimed[0]!);
      const list = async (query: Parameters<typeof cluster.listRuns>[0]) =>
        (await cluster.listRuns(query)).map(({ job, state }) => `${job} ${state}`);

      assert.deepEqual(await list({}), ["a planned", "b running", "a ok"]);
      assert.deepEqual(await list({ job: "a" }), ["a planned", "a ok"]);
      assert.deepEqual(await list({ job: "a", hasBegun: true }), ["a ok"]);
      assert.deepEqual(await list({ hasBegun: true }), ["b running", "a ok"]);
      assert.deepEqual(await list({ state: "running" }), ["b running"]);
      assert.deepEqual(await list({ job: "b", state: "ok" }), []);
      assert.deepEqual(await list({ limit: 2 }), ["a planned", "b running"]);
      await odb.close();
    });

    it("keeps long outputs' length only, and forgets runs in time", async () => {
      const { odb, cluster } = await openDemo(database);
      await planRuns(cluster, { job: "a" }, { job: "b", inMs: 60_000 }, { job: "c" });
      const { claimed } = await claim(cluster);
      const a = claimed.find(({ job }) => job === "a")!;
      const output = "x".repeat(64_000);
      await cluster.settleRuns([{ claim: a, outcome: { ok: true, output } }]);

      const run = await cluster.getRun(a.id);
      const kept = await cluster.pruneRuns(60_000);
      const pruned = await poll(async () => await cluster.pruneRuns(1) || undefined, {
        timeoutMs: 5_000,
      });

      assert.deepEqual(["output" in run, run.outputLength], [false, 64_002]);
      assert.deepEqual([kept, pruned], [0, 1]);
      const left = await cluster.listRuns({});
      assert.deepEqual(left.map(({ job }) => job), ["b", "c"]);
      await odb.close();
    });
  });
}
