import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import type { OdbLink } from "../../../src/cluster/odb-link.ts";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { ClaimedRun } from "../../../src/odb/job-types.ts";
import type { ClusterStore } from "../../../src/odb/types.ts";
import {
  JobRunner,
  type JobRunnerOptions,
} from "../../../src/server/supervisor/scheduler/job-runner.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { holderOf, openLedger, type TestLedger } from "./ledger.ts";

let ledger: TestLedger;
const lines: string[] = [];

before(async () => {
  ledger = await openLedger();
});

after(async () => {
  await ledger?.stop();
});

function runner(server: string, options: Partial<JobRunnerOptions> = {}): JobRunner {
  const made = new JobRunner({
    link: ledger.link,
    holder: holderOf(server),
    run: () => Promise.resolve("done"),
    canRun: () => true,
    refresh: () => Promise.resolve(),
    logger: createLogger({ level: "debug", write: (line) => lines.push(line) }),
    parallel: 200,
    pollMs: 20,
    ...options,
  });
  made.start();
  return made;
}

/** The way to the ledger, but for some of its answers. */
function linkWith(change: (store: ClusterStore) => Partial<ClusterStore>): Pick<OdbLink, "use"> {
  return { use: (work) => ledger.link.use((store) => work({ ...store, ...change(store) })) };
}

const odbError = (code: "ODB_UNREACHABLE" | "ODB_CONTENDED" | "ODB_FAILED") =>
  new PlatformError(code, { address: "odb", reason: "a test" });

/** The same, and the answer to a claim is lost on the way when that is wanted. */
function forgetfulLink(change: (store: ClusterStore) => Partial<ClusterStore> = () => ({})) {
  let isLost = false;
  const link = linkWith((store) => ({
    claimRuns: async (options) => {
      const claims = await store.claimRuns(options);
      if (!isLost || claims.claimed.length === 0) return claims;
      isLost = false;
      throw odbError("ODB_UNREACHABLE");
    },
    ...change(store),
  }));
  return { link, loseNextClaim: () => void (isLost = true) };
}

/** A service that ends when it is told to, and what was asked of it. */
function untilAborted() {
  const begun: ClaimedRun[] = [];
  const run = (claim: ClaimedRun, signal: AbortSignal) => {
    begun.push(claim);
    return new Promise((_, reject) => {
      const end = () => reject(new PlatformError("SERVICE_CANCELLED", { service: "a.b" }));
      signal.addEventListener("abort", end, { once: true });
    });
  };
  const hasBegun = () => poll(() => begun.length > 0 || undefined, { timeoutMs: 20_000 });
  return { begun, run, hasBegun };
}

describe("JobRunner", () => {
  it("runs everything that is due, each once, together with another server", async () => {
    const ran = new Map<string, number>();
    const count = (claim: ClaimedRun) => {
      ran.set(claim.job, (ran.get(claim.job) ?? 0) + 1);
      return Promise.resolve();
    };
    await ledger.plan(await ledger.lead("server1"), 1_000);

    const both = ["server1", "server2"].map((server) => runner(server, { run: count }));
    const isDone = async () => {
      const ok = await ledger.link.use((store) => store.listRuns({ state: "ok", limit: 1_000 }));
      return ok.length === 1_000 || undefined;
    };
    const done = await poll(isDone, { timeoutMs: 30_000 });
    await Promise.all(both.map((one) => one.stop(1_000)));

    assert.equal(done, true);
    assert.deepEqual([ran.size, Math.max(...ran.values())], [1_000, 1]);
  });

  it("runs no more at a time than it may", async () => {
    let inside = 0;
    let most = 0;
    const ids = await Promise.all(Array.from({ length: 20 }, () => ledger.create()));
    const limited = runner("server1", {
      parallel: 3,
      run: async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 2));
        inside--;
      },
    });

    const runs = [];
    for (const id of ids) runs.push(await ledger.ended(id));
    await limited.stop(1_000);

    assert.deepEqual([most, runs.every(({ state }) => state === "ok")], [3, true]);
  });

  it("hands the service its input and id, and keeps its output", async () => {
    const claims: ClaimedRun[] = [];
    const id = await ledger.create({ input: { region: "eu" } });
    const one = runner("server1", {
      run: (claim) => {
        claims.push(claim);
        return Promise.resolve({ closed: 3 });
      },
    });

    const run = await ledger.ended(id);
    await one.stop(1_000);

    assert.deepEqual(claims.map((claim) => [claim.id, claim.input]), [[id, { region: "eu" }]]);
    assert.deepEqual([run.state, run.output, run.server, run.cid, run.requestedBy], [
      "ok",
      { closed: 3 },
      "server1",
      id,
      "operator/test",
    ]);
  });

  it("tries again what failed, and says in the log what failed for good", async () => {
    let attempts = 0;
    const id = await ledger.create({ attemptsMax: 2 });
    const failing = runner("server1", {
      run: () => {
        attempts++;
        return Promise.reject(new Error("no stock"));
      },
    });

    const first = await ledger.ended(id);
    await poll(() => attempts === 2 || undefined, { timeoutMs: 20_000 });
    await failing.stop(1_000);
    const all = await ledger.link.use((store) => store.listRuns({ job: first.job }));

    assert.deepEqual(all.map(({ attempt, state, reason }) => [attempt, state, reason]).sort(), [
      [1, "failed", "no stock"],
      [2, "failed", "no stock"],
    ]);
    assert.match(
      lines.find((line) => line.includes('"Run of a job failed"')) ?? "",
      /"level":"error".*no stock/,
    );
  });

  it("cancels a run that an operator cancels, and does not try it again", async () => {
    const service = untilAborted();
    const id = await ledger.create({ attemptsMax: 3 });
    const one = runner("server1", { run: service.run });
    await service.hasBegun();

    await ledger.link.use((store) => store.cancelRun(id, "operator/ana"));
    const run = await ledger.ended(id);
    await one.stop(1_000);

    assert.deepEqual([run.state, run.reason], ["failed", "Cancelled by operator/ana"]);
    assert.equal(service.begun.length, 1);
  });

  it("waits for what runs when it stops, and claims nothing more", async () => {
    let finish = () => {};
    const begun: string[] = [];
    const id = await ledger.create();
    const stopping = runner("server1", {
      run: ({ id }) => {
        begun.push(id);
        return new Promise<void>((resolve) => finish = resolve);
      },
    });
    await poll(() => begun.length > 0 || undefined, { timeoutMs: 20_000 });

    const stopped = stopping.stop(20_000);
    const later = await ledger.create();
    finish();
    await stopped;
    const run = await ledger.link.use((store) => store.getRun(id));
    const other = runner("server2");
    const laterRun = await ledger.ended(later);
    await other.stop(1_000);

    assert.deepEqual([run.state, begun], ["ok", [id]]);
    assert.equal(laterRun.server, "server2");
  });

  it("gives up as lost what has not ended in time, and others repeat what may be", async () => {
    const service = untilAborted();
    const once = await ledger.create({ attemptsMax: 2, retryLost: false });
    const again = await ledger.create({ attemptsMax: 2, retryLost: true });
    const stopping = runner("server1", { run: service.run });
    await poll(() => service.begun.length === 2 || undefined, { timeoutMs: 20_000 });

    await stopping.stop(10);
    const other = runner("server2");
    const [first, second] = [await ledger.ended(once), await ledger.ended(again)];
    const attempts = await poll(async () => {
      const runs = await ledger.link.use((store) => store.listRuns({ job: second.job }));
      return runs.find(({ state }) => state === "ok");
    }, { timeoutMs: 20_000 });
    await other.stop(1_000);
    const onceRuns = await ledger.link.use((store) => store.listRuns({ job: first.job }));

    for (const run of [first, second]) {
      assert.deepEqual([run.state, run.reason], ["lost", "Its server stopped before it ended"]);
    }
    assert.deepEqual([attempts?.attempt, attempts?.trigger, attempts?.server], [
      2,
      "retry",
      "server2",
    ]);
    assert.equal(onceRuns.length, 1);
  });

  it("counts a run that took its worker down as lost", async () => {
    const id = await ledger.create();
    const lossy = runner("server1", {
      run: () => Promise.reject(new PlatformError("SERVER_WORKER_LOST")),
    });

    const run = await ledger.ended(id);
    await lossy.stop(1_000);

    assert.equal(run.state, "lost");
  });

  it("leaves a run to others when it has no worker for it", async () => {
    const id = await ledger.create();
    let isUp = true;
    const empty = runner("server1", {
      canRun: () => isUp,
      run: () => {
        isUp = false;
        return Promise.reject(new PlatformError("SERVER_NO_WORKER", { server: "server1" }));
      },
    });
    await poll(() => !isUp || undefined, { timeoutMs: 20_000 });
    const other = runner("server2");

    const run = await ledger.ended(id);
    await Promise.all([empty.stop(1_000), other.stop(1_000)]);

    assert.deepEqual([run.state, run.server, run.attempt], ["ok", "server2", 1]);
  });

  it("tries again to leave a run to others", async () => {
    const id = await ledger.create();
    let refusals = 0;
    const link = linkWith((store) => ({
      releaseRuns: (claims) =>
        refusals++ === 0 ? Promise.reject(odbError("ODB_CONTENDED")) : store.releaseRuns(claims),
    }));
    let isUp = true;
    const empty = runner("server1", {
      link,
      claimMs: 60_000,
      canRun: () => isUp,
      run: () => {
        isUp = false;
        return Promise.reject(new PlatformError("SERVER_NO_WORKER", { server: "server1" }));
      },
    });
    await poll(() => refusals > 0 || undefined, { timeoutMs: 20_000 });
    const other = runner("server2");

    const run = await ledger.ended(id);
    await Promise.all([empty.stop(1_000), other.stop(1_000)]);

    assert.deepEqual([run.state, run.server, run.attempt], ["ok", "server2", 1]);
  });

  it("gives back what it claimed without hearing of it, and nothing that runs", async () => {
    const service = untilAborted();
    const { link, loseNextClaim } = forgetfulLink();
    const running = await ledger.create();
    const one = runner("server1", { link, claimMs: 60_000, run: service.run });
    await service.hasBegun();
    loseNextClaim();
    const unheard = await ledger.create();

    await poll(() => service.begun.length > 1 || undefined, { timeoutMs: 20_000 });
    await one.stop(10);

    assert.deepEqual(service.begun.map(({ id, epoch }) => [id, epoch]), [
      [running, 1],
      [unheard, 2],
    ]);
  });

  it("does not give back a run whose outcome the ODB refused", async () => {
    const begun: string[] = [];
    let refusals = 0;
    const refused = await ledger.create();
    const { link, loseNextClaim } = forgetfulLink((store) => ({
      settleRuns: (outcomes) => {
        if (outcomes.every(({ claim }) => claim.id !== refused)) return store.settleRuns(outcomes);
        refusals++;
        return Promise.reject(odbError("ODB_FAILED"));
      },
    }));
    const run = ({ id }: ClaimedRun) => Promise.resolve(begun.push(id));
    const one = runner("server1", { link, claimMs: 60_000, run });
    await poll(() => refusals === 2 || undefined, { timeoutMs: 20_000 }); // in its batch, and alone
    loseNextClaim();
    const unheard = await ledger.create();

    const { epoch } = await ledger.ended(unheard);
    await one.stop(1_000);
    const { state } = await ledger.link.use((store) => store.getRun(refused));

    assert.deepEqual([epoch, state, begun], [2, "running", [refused, unheard]]);
  });

  it("gives back a claim that comes to be after its question failed", async () => {
    let late: (() => Promise<unknown>) | undefined;
    let isFirst = true;
    const link = linkWith((store) => ({
      claimRuns: (options) => {
        if (!isFirst) return store.claimRuns(options);
        isFirst = false;
        late = () => store.claimRuns(options);
        return Promise.reject(odbError("ODB_UNREACHABLE"));
      },
      listClaims: async (holder) => {
        const claims = await store.listClaims(holder);
        await late?.();
        late = undefined;
        return claims;
      },
    }));
    const id = await ledger.create();
    const one = runner("server1", { link, claimMs: 60_000 });

    const run = await ledger.ended(id);
    await one.stop(1_000);

    assert.deepEqual([run.state, run.epoch, run.attempt], ["ok", 2, 1]);
  });

  it("looks for a newer deployment before it says that there is no such service", async () => {
    let isDeployed = false;
    const id = await ledger.create();
    const behind = runner("server1", {
      refresh: () => {
        isDeployed = true;
        return Promise.resolve();
      },
      run: () =>
        isDeployed
          ? Promise.resolve(1)
          : Promise.reject(new PlatformError("SERVICE_UNKNOWN", { name: "a.b", hint: "" })),
    });

    const run = await ledger.ended(id);
    await behind.stop(1_000);

    assert.deepEqual([run.state, run.output], ["ok", 1]);
  });

  it("keeps an outcome until the ODB is back", async () => {
    let finish = () => {};
    const id = await ledger.create();
    const waiting = runner("server1", { run: () => new Promise<void>((done) => finish = done) });
    await poll(async () => {
      const { state } = await ledger.link.use((store) => store.getRun(id));
      return state === "running" || undefined;
    }, { timeoutMs: 20_000 });

    await rename(ledger.file, `${ledger.file}.away`);
    finish();
    await poll(async () => {
      const reached = ledger.link.use((store) => store.databaseTime());
      return await reached.then(() => undefined, () => true);
    }, { timeoutMs: 20_000 });
    await rename(`${ledger.file}.away`, ledger.file);
    const run = await ledger.ended(id);
    await waiting.stop(1_000);

    assert.equal(run.state, "ok");
  });
});
