import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ClusterStore } from "../../../src/odb/types.ts";
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
  settleOk,
  statesOf,
} from "./job-fixtures.ts";

const by = { by: "operator/ana" };

for (const { name, start } of databases) {
  describe(`${name}: jobs that change while they are planned`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("lets no run of a deleted job begin, whoever leads", async () => {
      const { odb, cluster } = await openDemo(database);
      await change(cluster, put("close"), put("other"));
      await planRuns(cluster, {}, { inMs: 60_000 }, { job: "other" });

      await change(cluster, gone("close"));
      const { claimed } = await claim(cluster);

      assert.deepEqual(claimed.map(({ job }) => job), ["other"]);
      assert.deepEqual(await statesOf(cluster), []);
      await odb.close();
    });

    it("skips retries and runs that were asked for when their job is deleted", async () => {
      const { odb, cluster } = await openDemo(database);
      await change(cluster, put("close"));
      await failOnce(cluster);
      const [planned] = await cluster.listRuns({ job: "close", state: "planned" });
      const terms = { ...runTerms, attemptsMax: 1 };
      const asked = await cluster.createRun({ job: "close", terms, by: "operator/bo" });

      await change(cluster, gone("close"));

      for (const id of [planned!.id, asked]) {
        const { state, reason } = await cluster.getRun(id);
        assert.deepEqual([state, reason], ["skipped", "The job was deleted by operator/ana"]);
      }
      assert.equal(await cluster.runDueInMs(), undefined);
      await odb.close();
    });

    it("does not touch what runs", async () => {
      const { odb, cluster } = await openDemo(database);
      await change(cluster, put("close"));
      await planRuns(cluster, {});
      const { claimed } = await claim(cluster);

      await change(cluster, gone("close"));

      assert.deepEqual(await settleOk(cluster, ...claimed), ["ok"]);
      await odb.close();
    });

    it("takes back the later runs of a changed job, and keeps what is due", async () => {
      const { odb, cluster } = await openDemo(database);
      await change(cluster, put("close"));
      const runs = await planRuns(cluster, {}, { inMs: 60_000 }, { inMs: 61_000 });
      await count(cluster, { plannedUntil: runs[2]!.plannedAt, plannedCount: 7 });

      await change(cluster, put("close", { every: "2s" }));

      assert.deepEqual(await statesOf(cluster), ["planned"]);
      const [row] = await cluster.listJobRows();
      assert.equal(row!.plannedCount, 5);
      assert.ok(row!.plannedUntil > runs[0]!.plannedAt && row!.plannedUntil < runs[1]!.plannedAt);
      assert.equal(row!.nextAt, row!.plannedUntil);
      assert.equal((await claim(cluster)).claimed.length, 1);
      await odb.close();
    });

    it("leaves an inactive job nothing to do, not even what was due or is tried again", async () => {
      const { odb, cluster } = await openDemo(database);
      await change(cluster, put("close"));
      await failOnce(cluster);
      await planRuns(cluster, {}, { inMs: 60_000 });

      await change(cluster, put("close", { active: false }));

      assert.deepEqual(await statesOf(cluster), ["failed", "skipped"]);
      const [, retry] = (await cluster.listRuns({ job: "close" })).toSorted((a, b) =>
        a.attempt - b.attempt
      );
      assert.equal(retry!.reason, "The job was made inactive by operator/ana");
      await odb.close();
    });

    it("refuses a plan that was made before the change", async () => {
      const { odb, cluster } = await openDemo(database);
      await change(cluster, put("close"), put("new"));
      const proof = await holdScheduler(cluster);
      const later = (job: string, version: number) =>
        planOf([{ ...runOf(job), terms: runTerms }], { progress: [progressOf(job, { version })] });

      await change(cluster, put("close", { every: "2s" }), gone("new"));

      assert.equal(await cluster.writePlan(proof, later("close", 1)), 0);
      assert.equal(await cluster.writePlan(proof, later("new", 1)), 0);
      assert.equal(await cluster.writePlan(proof, later("close", 2)), 1);
      await odb.close();
    });

    it("leaves everything as it was when the change is only tried, or nothing really changes", async () => {
      const { odb, cluster } = await openDemo(database);
      await change(cluster, put("close"));
      await planRuns(cluster, { inMs: 60_000 });

      await cluster.change([gone("close")], { ...by, dryRun: true });
      await change(cluster, put("close"));

      assert.deepEqual(await statesOf(cluster), ["planned"]);
      await odb.close();
    });
  });
}

const runTerms = {
  service: "billing.close",
  input: null,
  overlap: "skip",
  missed: "once",
  graceMs: 60_000,
  timeoutMs: 30_000,
  attemptsMax: 3,
  retryMs: 60_000,
  retryLost: false,
} as const;

function runOf(job: string) {
  const at = "2099-01-01T00:00:00.000Z";
  return { job, plannedAt: at, dueAt: at, state: "planned" as const };
}

/** A run of the job that failed, so that its second attempt is planned. */
async function failOnce(cluster: ClusterStore): Promise<void> {
  await planRuns(cluster, { inMs: -2_000, terms: { attemptsMax: 3, retryMs: 60_000 } });
  const { claimed } = await claim(cluster);
  await cluster.settleRuns([{ claim: claimed[0]!, outcome: { ok: false, error: "Not yet" } }]);
}

/** Writes down how much of the job is planned. */
async function count(
  cluster: ClusterStore,
  progress: { readonly plannedUntil: string; readonly plannedCount: number },
): Promise<void> {
  const proof = await holdScheduler(cluster);
  await cluster.writePlan(proof, planOf([], { progress: [progressOf("close", progress)] }));
}
