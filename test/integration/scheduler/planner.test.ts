import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { StoredObject } from "../../../src/catalog/kind.ts";
import type { OdbLink } from "../../../src/cluster/odb-link.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { RunClaim, RunQuery } from "../../../src/odb/job-types.ts";
import type { LeaseProof } from "../../../src/odb/lease-types.ts";
import type { ClusterStore } from "../../../src/odb/types.ts";
import { job } from "../../../src/scheduler/kinds/job.ts";
import { Planner, type PlannerOptions } from "../../../src/server/supervisor/scheduler/planner.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { holderOf, openLedger, type TestLedger } from "./ledger.ts";

let ledger: TestLedger;
let proof: LeaseProof;
let planners: Planner[] = [];
let lines: string[] = [];

before(async () => {
  ledger = await openLedger();
  proof = await ledger.lead("server1");
});

beforeEach(() => {
  lines = [];
});

after(async () => {
  await Promise.all(planners.map((one) => one.rest()));
  planners = [];
  await ledger?.stop();
});

function planner(options: Partial<PlannerOptions> = {}): Planner {
  const made = new Planner({
    link: ledger.link,
    proof: () => proof,
    deactivate: () => Promise.resolve(),
    announce: () => {},
    logger: createLogger({ level: "debug", write: (line) => lines.push(line) }),
    intervalMs: 20,
    ...options,
  });
  planners.push(made);
  made.lead();
  return made;
}

async function put(name: string, spec: Record<string, unknown>): Promise<void> {
  const whole = job.schema.parse({ service: "a.b", ...spec });
  const change = { op: "put" as const, kind: "Job", name, spec: whole, references: [] };
  await ledger.link.use((store) => store.change([change], { by: "operator/test" }));
}

const runs = (query: RunQuery) => ledger.link.use((store) => store.listRuns(query));

/** The job's planned runs, once there are some. */
async function planned(name: string) {
  const found = await poll(async () => {
    const some = await runs({ job: name, state: "planned" });
    return some.length > 0 ? some : undefined;
  }, { timeoutMs: 20_000 });
  assert.ok(found, `nothing of ${name} was planned: ${lines.join("\n")}`);
  return found;
}

/** Claims whatever is due until a run of this job is. */
async function claimOf(name: string): Promise<RunClaim> {
  const claim = await poll(async () => {
    const { claimed } = await ledger.link.use((store) =>
      store.claimRuns({ holder: proof.holder, countMax: 200, claimMs: 60_000 })
    );
    return claimed.find((one) => one.job === name);
  }, { timeoutMs: 20_000 });
  assert.ok(claim, `${name} never was due`);
  return claim;
}

/** The ledger's link, on which something happens after each of a planner's calls of a method. */
function linkWith(
  method: keyof ClusterStore,
  happens: (store: ClusterStore, answer: unknown) => Promise<unknown>,
): PlannerOptions["link"] {
  const use: OdbLink["use"] = (work) =>
    ledger.link.use((store) => {
      const call = store[method] as (...args: unknown[]) => Promise<unknown>;
      const watched = async (...args: unknown[]) => {
        const answer = await call(...args);
        await happens(store, answer);
        return answer;
      };
      return work({ ...store, [method]: watched });
    });
  return { use };
}

describe("Planner", () => {
  it("plans the times of the next 15 s, under its lease's epoch", async () => {
    await put("each-second", { every: "1s" });
    const one = planner();

    const times = await planned("each-second");
    await one.rest();

    assert.ok(times.length >= 14 && times.length <= 16, `${times.length} runs`);
    assert.ok(times.every(({ plannerEpoch }) => plannerEpoch === proof.epoch));
    assert.ok(times.every(({ plannedAt }) => plannedAt.endsWith(".000Z")));
  });

  it("follows a job that changes, is made inactive and goes", async () => {
    await put("changing", { every: "1s" });
    const one = planner();
    await planned("changing");

    await put("changing", { every: "1s", active: false });
    const isEmpty = async () =>
      (await runs({ job: "changing", state: "planned" })).length === 0 || undefined;
    const emptied = await poll(isEmpty, { timeoutMs: 20_000 });
    await put("changing", { every: "2s" });
    await planned("changing");
    await ledger.link.use((store) =>
      store.change([{ op: "delete", kind: "Job", name: "changing" }], { by: "operator/test" })
    );
    const gone = await poll(isEmpty, { timeoutMs: 20_000 });
    await one.rest();

    assert.deepEqual([emptied, gone], [true, true]);
  });

  it("plans nothing without a proof, and nothing that another holder's epoch refuses", async () => {
    const stale = { ...proof, epoch: proof.epoch - 1, holder: holderOf("server2") };
    await put("fenced", { every: "1s" });
    const without = planner({ proof: () => undefined });
    const late = planner({ proof: () => stale });

    const refused = await poll(
      () => lines.some((line) => line.includes("A plan was refused")) || undefined,
      { timeoutMs: 20_000 },
    );
    await Promise.all([without.rest(), late.rest()]);

    assert.equal(refused, true);
    assert.deepEqual(await runs({ job: "fenced" }), []);
  });

  it("tells servers of what is due at once", async () => {
    let announced = 0;
    const one = planner({ announce: () => announced++ });
    await put("soon", { every: "100ms" });

    await planned("soon");
    const isTold = await poll(() => announced > 0 || undefined, { timeoutMs: 20_000 });
    await one.rest();

    assert.equal(isTold, true);
  });

  it("plans nothing of a paused job until it is resumed", async () => {
    await put("paused", { every: "1s" });
    const one = planner();
    await planned("paused");

    await ledger.link.use((store) => store.pauseJob("paused", "operator/ana"));
    const whilePaused = await runs({ job: "paused", state: "planned" });
    await ledger.link.use((store) => store.resumeJob("paused"));
    const resumed = await planned("paused");
    await one.rest();

    assert.deepEqual(whilePaused, []);
    assert.ok(resumed.length > 0);
  });

  it("writes nothing of a job that goes while it is planned", async () => {
    const remove = { op: "delete", kind: "Job", name: "going" } as const;
    for (const method of ["listJobRows", "revision", "listObjects", "databaseTime"] as const) {
      await put("going", { every: "1s" });
      let isGone = false;
      const link = linkWith(method, async (store) => {
        if (isGone) return;
        isGone = true;
        await store.change([remove], { by: "operator/test" });
      });

      // One round: the next one would take back what this one must not write.
      await planner({ link, intervalMs: 60_000 }).rest();

      assert.equal(isGone, true);
      assert.deepEqual(await runs({ job: "going" }), [], method);
    }
  });

  it("plans what came between a change and the plan", async () => {
    await put("late", { every: "200ms" });
    const madeAt = await ledger.link.use((store) => store.databaseTime());
    const isLater = async () =>
      await ledger.link.use((store) => store.databaseTime()) > addMs(madeAt, 500) || undefined;
    await poll(isLater, { timeoutMs: 20_000 });

    const one = planner();
    const times = await planned("late");
    await one.rest();

    assert.ok(times.at(-1)!.plannedAt <= addMs(madeAt, 200), times.at(-1)!.plannedAt);
  });

  it("has no job made inactive whose last run fails while it is looked at", async () => {
    const asked: StoredObject[] = [];
    const at = "2020-01-01T00:00:00Z";
    await put("failing", { at, deactivateWhenDone: true, attemptsMax: 2, retryMs: 60_000 });
    const first = planner();
    await planned("failing");
    await first.rest();
    const claim = await claimOf("failing");
    const fail = (store: ClusterStore) =>
      store.settleRuns([{ claim, outcome: { ok: false, error: "no" } }]);
    let looks = 0;
    const second = planner({
      link: linkWith("openJobs", (store) => (looks += 1) === 1 ? fail(store) : Promise.resolve()),
      deactivate: (jobs) => Promise.resolve(void asked.push(...jobs)),
    });
    await poll(() => looks > 1 || undefined, { timeoutMs: 20_000 });
    await second.rest();

    assert.deepEqual(asked.filter(({ name }) => name === "failing"), []);
    assert.equal((await runs({ job: "failing", state: "planned" })).length, 1);
  });

  it("has a job that is done made inactive, but only after its last run", async () => {
    const asked: StoredObject[] = [];
    const at = new Date(Date.now() + 500).toISOString();
    await put("once", { at, deactivateWhenDone: true, missed: "all" });
    const one = planner({
      deactivate: (jobs) => {
        asked.push(...jobs);
        return Promise.resolve();
      },
    });
    await planned("once");
    const claimed = await claimOf("once");
    const askedBefore = asked.length;

    await ledger.link.use((store) =>
      store.settleRuns([{ claim: claimed, outcome: { ok: true, output: null } }])
    );
    await poll(() => asked.length > 0 || undefined, { timeoutMs: 20_000 });
    await one.rest();

    assert.equal(askedBefore, 0);
    assert.equal(asked[0]?.name, "once");
  });

  it("says once which enabled job will never run, for as long as it leads", async () => {
    await put("never", { cron: "0 0 30 2 *" });
    const one = planner();

    await poll(() => one.alarms.length > 0 || undefined, { timeoutMs: 20_000 });
    const alarms = one.alarms;
    one.wake();
    await one.rest();

    assert.deepEqual(alarms.map((alarm) => alarm.job), ["never"]);
    assert.equal(lines.filter((line) => line.includes("will never run")).length, 1);
    assert.deepEqual(one.alarms, []);
  });
});

function addMs(time: string, ms: number): string {
  return new Date(Date.parse(time) + ms).toISOString();
}
