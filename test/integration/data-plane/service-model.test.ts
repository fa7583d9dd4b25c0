import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { channel, object, WorkerProcess } from "./worker-process.ts";

const methods = ["GET", "POST", "PUT", "DELETE"];

/** Lines of the log that say `msg`, parsed. */
function lines(worker: WorkerProcess, msg: string): readonly Record<string, unknown>[] {
  return worker.log.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line)).filter((line) => line.msg === msg);
}

/** Asks until `expected` comes, for what another request brings about. */
async function becomes(worker: WorkerProcess, path: string, expected: unknown): Promise<void> {
  const found = await poll(async () => {
    const answer = JSON.stringify(await (await worker.fetch(path)).json());
    return answer === JSON.stringify(expected) || undefined;
  }, { timeoutMs: 20_000, intervalMs: 5 });
  assert.ok(found, `${path} never answered ${JSON.stringify(expected)}: ${worker.log}`);
}

describe("A service with handlers for methods, over HTTP", () => {
  let worker: WorkerProcess;
  before(async () => {
    worker = await WorkerProcess.start();
    const bundle = await worker.bundle(
      "verbs.ts",
      `
      export const verbs = defineService({
        name: "verbs", input: z.object({ id: z.int() }),
        get: ({ input }) => ({ got: input.id }),
        async delete({ input, response }) { response.status = 202; return { deleted: input.id }; },
      });
      export const caller = defineService({ name: "caller",
        handle: ({ invoke }) => invoke("verbs", { id: 1 }) });
      `,
    );
    const upserted = [channel("/verbs/{id}", "verbs", { methods }), channel("/caller", "caller")];
    await worker.configure({ upserted, bundles: [bundle] });
  });
  after(() => worker[Symbol.asyncDispose]());

  it("answers each method by its handler", async () => {
    const got = await worker.fetch("/verbs/7");
    assert.deepEqual([got.status, await got.json()], [200, { got: 7 }]);
    const deleted = await worker.fetch("/verbs/7", { method: "DELETE" });
    assert.deepEqual([deleted.status, await deleted.json()], [202, { deleted: 7 }]);
    const head = await worker.fetch("/verbs/7", { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
  });

  it("answers 405 to the others", async () => {
    for (const method of ["POST", "PUT"]) {
      const response = await worker.fetch("/verbs/7", { method });
      assert.equal(response.headers.get("allow"), "DELETE, GET, HEAD, OPTIONS");
      assert.deepEqual([response.status, (await response.json()).code], [405, "REQUEST_METHOD"]);
    }
  });

  it("is no use to services when it has no handle, and says so", async () => {
    const { error } = await worker.invoke({ service: "caller" });
    assert.equal(error?.code, "SERVICE_NO_HANDLER");
    assert.equal((await worker.fetch("/caller")).status, 500);
  });
});

describe("A service's hooks", () => {
  const version = (name: string, more = "") => `
    const steps = globalThis.steps ??= [];
    export const hooked = defineService({
      name: "hooked",
      async onStart({ server, cluster, cache, log, signal }) {
        ${more}
        await cache().set("started", "${name}");
        log.info("Started", { server, cluster });
        signal.addEventListener("abort", () => steps.push("${name} aborted"));
        steps.push("${name} started");
      },
      onStop({ signal, log }) {
        steps.push("${name} stopped " + signal.aborted);
        log.info("Stopped ${name}");
      },
      before: () => void steps.push("before"),
      after: (ctx, { ok }) => void steps.push("after " + ok),
      async handle({ input, cache }) {
        if (input.wait) await new Promise((resolve) => globalThis.release = resolve);
        if (input.fail) throw new Error("as told");
        return await cache().get("started");
      },
    });
    export const taken = defineService({ name: "taken", handle: () => steps.splice(0) });
    export const release = defineService({ name: "release", handle: () => globalThis.release() });
  `;
  const upserted = ["hooked", "taken", "release"].map((name) => channel(`/${name}`, name));

  it("are called in order, also when it throws, and around its life", async () => {
    await using worker = await WorkerProcess.start();
    const bundles = [await worker.bundle("hooked.ts", version("1"))];
    assert.deepEqual((await worker.configure({ upserted, bundles })).failures, []);

    assert.equal(await (await worker.fetch("/hooked")).json(), "1");
    assert.equal((await worker.fetch("/hooked?fail=1")).status, 500);
    await becomes(worker, "/taken", ["1 started", "before", "after true", "before", "after false"]);
    const [started] = lines(worker, "Started");
    assert.deepEqual([started?.["service"], started?.["cluster"]], ["hooked", "test"]);

    // A call that began on the old code ends on it before that is stopped.
    const waiting = worker.fetch("/hooked?wait=1");
    await becomes(worker, "/taken", ["before"]);
    await worker.configure({ bundles: [await worker.bundle("hooked.ts", version("2"))] });
    await becomes(worker, "/taken", ["2 started"]);
    await worker.fetch("/release");
    assert.equal(await (await waiting).json(), "2");
    await becomes(worker, "/taken", ["after true", "1 aborted", "1 stopped true"]);

    worker.send({ type: "drain", timeoutMs: 5_000 });
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    assert.match(worker.log, /Stopped 2/);
  });

  it("keep the old code serving when onStart fails", async () => {
    await using worker = await WorkerProcess.start();
    const bundles = [await worker.bundle("hooked.ts", version("1"))];
    await worker.configure({ upserted, bundles });
    const broken = version("2", `if (!globalThis.isThere) throw new Error("no licence");`);

    const { failures, bundles: running } = await worker.configure({
      bundles: [await worker.bundle("hooked.ts", broken)],
    });

    assert.deepEqual(failures, [{
      kind: "Deployment",
      name: "hooked.ts",
      error: 'The service "hooked" could not be started: no licence',
    }]);
    assert.deepEqual(running, [{ file: "hooked.ts", hash: bundles[0]!.hash }]);
    assert.equal(await (await worker.fetch("/hooked")).json(), "1");
  });
});

describe("A service that takes its time", () => {
  let worker: WorkerProcess;
  before(async () => {
    worker = await WorkerProcess.start();
    const bundle = await worker.bundle(
      "slow.ts",
      `
      const { defineThreadTask } = globalThis[Symbol.for("dragoman.module")];
      import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
      let reasons = [];
      export const waits = defineService({
        name: "waits", timeoutMs: 100,
        async handle({ signal, remaining }) {
          if (remaining() > 100) throw new Error("more time than there is");
          signal.addEventListener("abort", () => reasons.push(signal.reason.code));
          await new Promise(() => {});
        },
      });
      export const late = defineService({
        name: "late",
        async handle(ctx) {
          await new Promise((resolve) => setTimeout(resolve, 150));
          reasons.push("late " + ctx.signal.aborted + " " + ctx.remaining());
          await ctx.invoke("count").catch((error) => reasons.push(error.code));
        },
      });
      export const count = defineService({ name: "count", handle: () => reasons.push("ran") });
      export const asks = defineService({
        name: "asks",
        async handle({ invoke, remaining }) {
          const error = await invoke("waits", {}).catch((error) => error);
          return { code: error.code, timeLeft: remaining() > 1_000 };
        },
      });
      export const lets = defineService({ name: "lets", handle: ({ invoke }) => invoke("waits") });
      export const reasonsGiven = defineService({ name: "reasons", handle: () => reasons.splice(0) });

      const spin = defineThreadTask({ name: "spin", run({ pid, release }) {
        writeFileSync(pid, String(process.pid));
        while (!existsSync(release));
        return "spun";
      } });
      const files = { pid: "${worker.directory}/pid", release: "${worker.directory}/release" };
      const inThread = ({ runInThread }) => runInThread(spin, files);
      export const threaded = defineService({ name: "threaded", handle: inThread });
      export const hurried = defineService({ name: "hurried", handle: inThread });
      export const spinning = defineService({
        name: "spinning",
        handle: () => Number(existsSync(files.pid) && readFileSync(files.pid, "utf8")),
      });
      export const stop = defineService({
        name: "stop", handle() { writeFileSync(files.release, ""); rmSync(files.pid); },
      });
      `,
    );
    const names = ["waits", "asks", "lets", "reasons", "threaded", "spinning", "stop"];
    const upserted = [
      ...names.map((name) => channel(`/${name}`, name)),
      channel("/late", "late", { timeoutMs: 100 }),
      channel("/hurried", "hurried", { timeoutMs: 3_000 }),
    ];
    const { failures } = await worker.configure({ upserted, bundles: [bundle] });
    assert.deepEqual(failures, []);
  });
  after(() => worker[Symbol.asyncDispose]());

  it("is answered for with 504 when its time is over, and hears of it", async () => {
    const response = await worker.fetch("/waits");

    assert.deepEqual([response.status, (await response.json()).detail], [
      504,
      "The service did not answer within 100 ms",
    ]);
    await becomes(worker, "/reasons", ["REQUEST_TIMEOUT"]);
  });

  it("has its own time when a service invokes it, which goes on", async () => {
    const answer = await (await worker.fetch("/asks")).json();

    assert.deepEqual(answer, { code: "REQUEST_TIMEOUT", timeLeft: true });
    await becomes(worker, "/reasons", ["REQUEST_TIMEOUT"]);
    assert.equal((await worker.fetch("/lets")).status, 504);
    await becomes(worker, "/reasons", ["REQUEST_TIMEOUT"]);
  });

  it("finds its time over when it looks at it late, and what it invokes does not run", async () => {
    assert.equal((await worker.fetch("/late")).status, 504);

    await becomes(worker, "/reasons", ["late true 0", "REQUEST_TIMEOUT"]);
    await worker.message("heartbeat", ({ droppedTotal }) => droppedTotal === 1);
  });

  const spinning = async () => (await (await worker.fetch("/spinning")).json()) || undefined;

  it("has its thread ended with its time", async () => {
    const answer = worker.fetch("/hurried");
    const pid = await poll(spinning, { timeoutMs: 20_000 });

    assert.equal((await answer).status, 504);
    const isEnded = () => !existsSync(`/proc/${pid}/fd/0`) || undefined;
    assert.ok(await poll(isEnded, { timeoutMs: 20_000 }), "The thread goes on");
    await rm(join(worker.directory, "pid"));
  });

  it("leaves the event loop to others while it calculates in a thread", async () => {
    const answer = worker.fetch("/threaded");
    const pid = await poll(spinning, { timeoutMs: 20_000 });
    for (let n = 0; n < 20; n++) assert.equal(await spinning(), pid);
    await worker.fetch("/stop");

    assert.equal(await (await answer).json(), "spun");
  });

  it("takes its threads along when its process is killed", async () => {
    await rm(join(worker.directory, "release"));
    void worker.fetch("/threaded").catch(() => {});
    const pid = await poll(spinning, { timeoutMs: 20_000 });

    worker.child.kill("SIGKILL");

    const isEnded = () => !existsSync(`/proc/${pid}/fd/0`) || undefined;
    assert.ok(await poll(isEnded, { timeoutMs: 20_000 }), "The thread goes on");
  });
});

describe("A service with a bound", () => {
  const held = (text: string) => `
    export const held = defineService({
      name: "held", maxConcurrent: 1, queueMax: 1,
      async handle() {
        globalThis.entered = (globalThis.entered ?? 0) + 1;
        await new Promise((resolve) => (globalThis.releases ??= []).push(resolve));
        return "${text}";
      },
    });
    export const entered = defineService({
      name: "entered", handle: () => globalThis.entered ?? 0,
    });
    export const release = defineService({
      name: "release", handle: () => globalThis.releases.splice(0).forEach((one) => one()),
    });
  `;
  const upserted = ["held", "entered", "release"].map((name) => channel(`/${name}`, name));

  it("lets one wait, answers 503 to more, and goes on counting under new code", async () => {
    await using worker = await WorkerProcess.start();
    await worker.configure({ upserted, bundles: [await worker.bundle("held.ts", held("old"))] });
    const first = worker.fetch("/held");
    await becomes(worker, "/entered", 1);
    await worker.configure({ bundles: [await worker.bundle("held.ts", held("new"))] });

    // Whichever of the two comes first waits; the other one is too many.
    const others = [worker.fetch("/held"), worker.fetch("/held")];
    const busy = await Promise.race(others);
    assert.equal(busy.status, 503);
    assert.equal(busy.headers.get("retry-after"), "1");
    assert.equal((await busy.json()).code, "SERVICE_BUSY");

    await worker.fetch("/release");
    assert.equal(await (await first).text(), '"old"');
    await becomes(worker, "/entered", 2);
    await worker.fetch("/release");
    const statuses = (await Promise.all(others)).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, 503]);
  });

  it("does not run what waits when its client has gone or its time is over", async () => {
    await using worker = await WorkerProcess.start();
    const limited = object("RestChannel", "limited", {
      path: "/limited",
      service: "held",
      security: "none",
      timeoutMs: 200,
    });
    await worker.configure({
      upserted: [...upserted, limited],
      bundles: [await worker.bundle("held.ts", held("1"))],
    });
    const first = worker.fetch("/held");
    await becomes(worker, "/entered", 1);

    assert.equal((await worker.fetch("/limited")).status, 504);
    await worker.message("heartbeat", ({ droppedTotal }) => droppedTotal === 1);
    const client = new AbortController();
    const gone = worker.fetch("/held", { signal: client.signal }).catch(() => "gone");
    const isWaiting = async () => (await worker.fetch("/limited")).status === 503 || undefined;
    await poll(isWaiting, { timeoutMs: 20_000, intervalMs: 5 });
    client.abort();
    assert.equal(await gone, "gone");
    await worker.message("heartbeat", ({ droppedTotal }) => droppedTotal >= 2);

    await worker.fetch("/release");
    assert.equal(await (await first).text(), '"1"');
    assert.equal(await (await worker.fetch("/entered")).json(), 1);
  });
});

describe("The settings of a service", () => {
  const settings = (spec: Record<string, unknown>, revision: number) =>
    object("ServiceSettings", "v", { service: "v", ...spec }, revision);

  it("change what it logs, and switch it off and on, while it runs", async () => {
    await using worker = await WorkerProcess.start({ logLevel: "warn" });
    const code = `export const v = defineService({
      name: "v", handle({ log, input }) { log.debug("Looked", { n: input.n }); return input.n; },
    });`;
    const bundles = [await worker.bundle("v.ts", code)];
    await worker.configure({ upserted: [channel("/v", "v")], bundles });
    const answer = async (n: number) => {
      const response = await worker.fetch(`/v?n=${n}`);
      const body = await response.json();
      return response.status === 200 ? body : body.code;
    };

    assert.equal(await answer(1), "1");
    await worker.configure({ upserted: [settings({ logLevel: "debug" }, 1)], bundles });
    assert.equal(await answer(2), "2");
    await worker.configure({ upserted: [settings({ logLevel: "error" }, 2)], bundles });
    assert.equal(await answer(3), "3");
    await worker.configure({ upserted: [settings({ active: false }, 3)], bundles });
    assert.equal(await answer(4), "SERVICE_INACTIVE");
    assert.equal((await worker.invoke({ service: "v" })).error?.code, "SERVICE_INACTIVE");
    await worker.configure({ removed: [{ kind: "ServiceSettings", name: "v" }], bundles });
    assert.equal(await answer(5), "5");

    await worker.logged("Looked");
    const seen = lines(worker, "Looked").map(({ level, service, n }) => [level, service, n]);
    assert.deepEqual(seen, [["debug", "v", "2"]]);
  });

  it("are a failure of their own when they cannot be used", async () => {
    await using worker = await WorkerProcess.start();
    const code = `export const v = defineService({ name: "v", handle: () => 1 });`;
    const bundles = [await worker.bundle("v.ts", code)];

    const { failures } = await worker.configure({
      upserted: [channel("/v", "v"), settings({ maxConcurrent: 0 }, 1)],
      bundles,
    });

    assert.deepEqual(failures.map(({ kind, name }) => [kind, name]), [["ServiceSettings", "v"]]);
    assert.equal((await worker.fetch("/v")).status, 200);
  });
});
