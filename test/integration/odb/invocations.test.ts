import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import type { InvocationRequest } from "../../../src/odb/durable-types.ts";
import type { ClusterStore } from "../../../src/odb/types.ts";
import { databases, openDemo, type TestDatabase } from "./databases.ts";

const request: InvocationRequest = {
  service: "orders.bill",
  input: { order: 7, note: "ä \u{1F680}" },
  cid: "cid-1",
  delayMs: 0,
  attemptsMax: 3,
  retryMs: 0,
  callback: undefined,
};
const byServer1 = { by: "server1", countMax: 10, claimMs: 60_000 };
const byServer2 = { ...byServer1, by: "server2" };

for (const { name, start } of databases) {
  describe(`${name}: invocations`, () => {
    let database: TestDatabase;
    before(async () => {
      database = await start();
    });
    after(() => database.stop());

    it("keeps one, hands it to one server, and keeps what came of it", async () => {
      const { odb, cluster } = await openDemo(database);
      assert.equal(await cluster.invocationDueInMs(), undefined);

      const id = await cluster.enqueueInvocation(request);
      const due = await cluster.invocationDueInMs();
      const [first, second] = [
        await cluster.claimInvocations(byServer1),
        await cluster.claimInvocations(byServer2),
      ];
      const running = await cluster.getInvocation(id);
      const settled = await cluster.settleInvocation(first.claimed[0]!, {
        ok: true,
        output: { billed: true },
      });

      assert.equal(due, 0);
      assert.deepEqual(first.claimed.map(({ input, cid, attempt }) => ({ input, cid, attempt })), [
        { input: request.input, cid: "cid-1", attempt: 1 },
      ]);
      assert.deepEqual([second.claimed, first.failed], [[], []]);
      assert.deepEqual([running.state, running.claimedBy], ["running", "server1"]);
      assert.deepEqual(settled, { state: "done" });
      const done = await cluster.getInvocation(id);
      assert.deepEqual([done.state, done.output, done.attempts], ["done", { billed: true }, 1]);
      assert.equal(await cluster.invocationDueInMs(), undefined);
      await odb.close();
    });

    it("hands two hundred to four servers at once, each to one of them", async () => {
      const { access, odb, cluster } = await openDemo(database);
      for (let order = 0; order < 200; order++) {
        await cluster.enqueueInvocation({ ...request, input: order });
      }

      const claimed = (await Promise.all([1, 2, 3, 4].map(async (server) => {
        const mine: string[] = [];
        for (;;) {
          const { claimed: some } = await cluster.claimInvocations({
            ...byServer1,
            by: `server${server}`,
            countMax: 7,
          });
          if (some.length === 0) return mine;
          mine.push(...some.map(({ id }) => id));
        }
      }))).flat();

      assert.equal(claimed.length, 200);
      assert.equal(new Set(claimed).size, 200);
      assert.equal((await database.query(access, "select id from invocation")).length, 200);
      await odb.close();
    });

    it("takes the longest waiting first, and none before its time", async () => {
      const { odb, cluster } = await openDemo(database);
      const later = await cluster.enqueueInvocation({ ...request, delayMs: 60_000 });
      const first = await cluster.enqueueInvocation(request);
      const third = await enqueueAfter(cluster, first);

      const due = [];
      for (let count = 0; count < 3; count++) {
        due.push(...(await cluster.claimInvocations({ ...byServer1, countMax: 1 })).claimed);
      }
      const inMs = await cluster.invocationDueInMs();

      assert.deepEqual(due.map(({ id }) => id), [first, third]);
      assert.ok(inMs !== undefined && inMs > 0 && inMs <= 60_000, String(inMs));
      assert.equal((await cluster.getInvocation(later)).state, "pending");
      await odb.close();
    });

    it("repeats what failed, later each time, and keeps it when no attempts are left", async () => {
      const { odb, cluster } = await openDemo(database);
      const id = await cluster.enqueueInvocation({ ...request, attemptsMax: 2, retryMs: 1 });
      const error = { ok: false, error: "no stock", final: false } as const;

      const results = [];
      for (let attempt = 1; attempt <= 2; attempt++) {
        const [claim] = await claimOne(cluster);
        results.push(await cluster.settleInvocation(claim!, error));
      }

      assert.deepEqual(results, [{ state: "retried", inMs: 1 }, { state: "failed" }]);
      const failed = await cluster.getInvocation(id);
      assert.deepEqual([failed.state, failed.attempts, failed.lastError], [
        "failed",
        2,
        "no stock",
      ]);
      assert.equal(await cluster.invocationDueInMs(), undefined);
      await odb.close();
    });

    it("doubles the wait between attempts up to an hour", async () => {
      const { access, odb, cluster } = await openDemo(database);
      await cluster.enqueueInvocation({ ...request, attemptsMax: 9, retryMs: 1_500_000 });
      const waits = [];
      for (let attempt = 1; attempt <= 3; attempt++) {
        const [claim] = await claimOne(cluster);
        const settled = await cluster.settleInvocation(claim!, {
          ok: false,
          error: "x",
          final: false,
        });
        waits.push(settled.inMs);
        await database.query(
          access,
          "update invocation set due_at = '2026-01-01T00:00:00.000Z'",
        );
      }

      assert.deepEqual(waits, [1_500_000, 3_000_000, 3_600_000]);
      await odb.close();
    });

    it("does not repeat what would end alike", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.enqueueInvocation(request);
      const [claim] = await claimOne(cluster);

      const settled = await cluster.settleInvocation(claim!, {
        ok: false,
        error: "input",
        final: true,
      });

      assert.deepEqual(settled, { state: "failed" });
      await odb.close();
    });

    it("refuses the outcome of a server whose claim ran out and was taken over", async () => {
      const { odb, cluster } = await openDemo(database);
      const id = await cluster.enqueueInvocation(request);
      const { claimed: [slept] } = await cluster.claimInvocations({ ...byServer1, claimMs: 1 });
      const [taken] = await claimOne(cluster, byServer2);

      await cluster.renewInvocations([slept!], 60_000);
      const late = await cluster.settleInvocation(slept!, { ok: true, output: "late" });
      const own = await cluster.settleInvocation(taken!, { ok: true, output: "own" });
      const again = await cluster.settleInvocation(slept!, { ok: true, output: "later" });

      assert.deepEqual([late, own, again].map(({ state }) => state), ["taken", "done", "taken"]);
      const row = await cluster.getInvocation(id);
      assert.deepEqual([row.output, row.attempts, row.losses], ["own", 1, 1]);
      await odb.close();
    });

    it("keeps others away while a claim is renewed, and not after it was released", async () => {
      const { odb, cluster } = await openDemo(database);
      await cluster.enqueueInvocation(request);
      const { claimed } = await cluster.claimInvocations({ ...byServer1, claimMs: 1 });

      await cluster.renewInvocations(claimed, 60_000);
      const whileHeld = await cluster.claimInvocations(byServer2);
      await cluster.releaseInvocation(claimed[0]!, 0);
      const [released] = await claimOne(cluster, byServer2);

      assert.deepEqual(whileHeld.claimed, []);
      assert.equal(released?.id, claimed[0]!.id);
      await odb.close();
    });

    it("gives up on one that takes its server down each time", async () => {
      const { odb, cluster } = await openDemo(database);
      const id = await cluster.enqueueInvocation({ ...request, callback: "orders.done" });
      for (let loss = 0; loss < 4; loss++) {
        const [claim] = await claimOne(cluster);
        assert.equal(claim?.losses, loss);
        await cluster.releaseInvocation(claim!, 0);
      }

      const failed = await poll(async () => {
        const result = await cluster.claimInvocations(byServer2);
        return result.failed.length > 0 ? result : undefined;
      }, { timeoutMs: 5_000 });

      assert.deepEqual(failed?.failed.map((row) => row.id), [id]);
      const row = await cluster.getInvocation(id);
      assert.equal(row.state, "failed");
      assert.match(row.lastError ?? "", /went away 4 times; the last was server1/);
      const [callback] = await claimOne(cluster);
      assert.equal(callback?.service, "orders.done");
      await odb.close();
    });

    it("tells a callback how it ended, in the same transaction", async () => {
      const { odb, cluster } = await openDemo(database);
      const id = await cluster.enqueueInvocation({ ...request, callback: "orders.done" });
      const [claim] = await claimOne(cluster);
      await cluster.settleInvocation(claim!, { ok: true, output: [1] });

      const [callback] = await claimOne(cluster);

      assert.deepEqual(callback?.input, {
        id,
        service: "orders.bill",
        ok: true,
        output: [1],
        attempts: 1,
        cid: "cid-1",
      });
      assert.equal(callback?.cid, "cid-1");
      await odb.close();
    });

    it("keeps a long output's length, not the output, and still passes it on", async () => {
      const { odb, cluster } = await openDemo(database);
      const id = await cluster.enqueueInvocation({ ...request, callback: "orders.done" });
      const [claim] = await claimOne(cluster);
      const output = "x".repeat(100_000);

      await cluster.settleInvocation(claim!, { ok: true, output });

      const row = await cluster.getInvocation(id);
      assert.deepEqual([row.output, row.outputLength], [undefined, 100_002]);
      const [callback] = await claimOne(cluster);
      assert.equal((callback?.input as { output: string }).output, output); // as enqueued above
      await odb.close();
    });

    it("lists by state and service, newest first", async () => {
      const { odb, cluster } = await openDemo(database);
      const one = await cluster.enqueueInvocation(request);
      const two = await enqueueAfter(cluster, one);
      await cluster.enqueueInvocation({ ...request, service: "other" });
      await cluster.cancelInvocation(two);

      const ids = async (query: Parameters<ClusterStore["listInvocations"]>[0]) =>
        (await cluster.listInvocations(query)).map(({ id }) => id);

      assert.deepEqual(await ids({ service: "orders.bill" }), [two, one]);
      assert.deepEqual(await ids({ state: "cancelled" }), [two]);
      assert.equal((await ids({ limit: 2 })).length, 2);
      await odb.close();
    });

    it("cancels, retries and deletes only what bears it", async () => {
      const { odb, cluster } = await openDemo(database);
      const id = await cluster.enqueueInvocation(request);
      const [claim] = await claimOne(cluster);
      const refused = { code: "INVOCATION_STATE", message: new RegExp(`${id} is running`) };

      assert.equal(await cluster.cancelInvocation(id), false);
      await assert.rejects(cluster.retryInvocation(id), refused);
      await assert.rejects(cluster.deleteInvocation(id), refused);
      await cluster.settleInvocation(claim!, { ok: false, error: "no", final: false });
      assert.equal(await cluster.cancelInvocation(id, { unbegun: true }), false);
      assert.equal(await cluster.cancelInvocation(id), true);
      await cluster.retryInvocation(id);
      const [again] = await claimOne(cluster);
      assert.equal(again?.attempt, 1);
      await cluster.settleInvocation(again!, { ok: true, output: null });
      await cluster.deleteInvocation(id);
      await assert.rejects(cluster.getInvocation(id), { code: "INVOCATION_UNKNOWN" });
      await assert.rejects(cluster.retryInvocation(id), { code: "INVOCATION_UNKNOWN" });
      await odb.close();
    });

    it("prunes what was done before what failed", async () => {
      const { odb, cluster } = await openDemo(database);
      const done = await cluster.enqueueInvocation(request);
      const [first] = await claimOne(cluster);
      await cluster.settleInvocation(first!, { ok: true, output: 1 });
      const failed = await cluster.enqueueInvocation(request);
      const [second] = await claimOne(cluster);
      await cluster.settleInvocation(second!, { ok: false, error: "no", final: true });
      const waiting = await cluster.enqueueInvocation({ ...request, delayMs: 1_000 });

      const count = await cluster.pruneInvocations({ doneMs: 0, failedMs: 60_000 });

      assert.equal(count, 1);
      const left = (await cluster.listInvocations({})).map(({ id }) => id);
      assert.deepEqual(left.sort(), [failed, waiting].sort());
      assert.ok(!left.includes(done));
      await odb.close();
    });

    it("refuses what it cannot keep, with the reason", async () => {
      const { odb, cluster } = await openDemo(database);
      const cases = [
        [{ input: "x".repeat(1_000_001) }, /1000003 characters of JSON, and 1000000/],
        [{ attemptsMax: 0 }, /attemptsMax is 0, and must be from 1 to 1000/],
        [{ delayMs: NaN }, /delayMs is NaN/],
        [{ retryMs: -1 }, /retryMs is -1/],
      ] as const;

      for (const [change, message] of cases) {
        await assert.rejects(
          cluster.enqueueInvocation({ ...request, ...change }),
          { code: "INVOCATION_INVALID", message },
        );
      }
      assert.deepEqual(await cluster.listInvocations({}), []);
      await odb.close();
    });
  });
}

/** The next one whose time has come, waiting for it at most 5 s. */
async function claimOne(cluster: ClusterStore, options = byServer1) {
  const claimed = await poll(async () => {
    const result = await cluster.claimInvocations({ ...options, countMax: 1 });
    return result.claimed.length > 0 ? result.claimed : undefined;
  }, { timeoutMs: 5_000, intervalMs: 5 });
  return claimed ?? [];
}

/** Enqueues one whose id sorts after another one's. */
async function enqueueAfter(cluster: ClusterStore, other: string): Promise<string> {
  const id = await poll(() => Date.now() > parseInt(other.slice(0, 12), 16) || undefined, {
    timeoutMs: 1_000,
    intervalMs: 1,
  });
  assert.ok(id);
  return await cluster.enqueueInvocation(request);
}
