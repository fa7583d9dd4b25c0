import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { runLoad } from "../../../src/rehearsal/load/ledger.ts";
import type { HeartbeatMessage } from "../../../src/server/worker/protocol.ts";
import { channel, overload, WorkerProcess } from "./worker-process.ts";

const services = `
let executed = 0;
let release = () => {};

export const work = defineService({
  name: "work",
  input: z.object({ ms: z.int() }),
  handle({ input }) {
    executed++;
    for (const until = performance.now() + input.ms; performance.now() < until;);
    return {};
  },
});

export const count = defineService({ name: "count", handle: () => ({ executed }) });

export const wait = defineService({
  name: "wait",
  async handle() {
    await new Promise((resolve) => {
      const before = release;
      release = () => { before(); resolve(); };
    });
    return {};
  },
});

export const slices = defineService({
  name: "slices",
  async handle() {
    let isOver = false;
    const before = release;
    release = () => { before(); isOver = true; };
    for (; !isOver; await new Promise((resolve) => setTimeout(resolve))) {
      for (const until = performance.now() + 80; performance.now() < until;);
    }
    return {};
  },
});

export const go = defineService({ name: "go", handle() { release(); return {}; } });
`;

const limits = { stallMs: 10_000, requestMs: 10_000, bodyBytes: 100_000 };

async function startWorker(bounds: Partial<typeof overload>): Promise<WorkerProcess> {
  const worker = await WorkerProcess.start({
    limits: { ...limits, overload: { ...overload, ...bounds } },
  });
  await worker.configure({
    upserted: [channel("/work", "work"), channel("/wait", "wait")],
    bundles: [await worker.bundle("services.mjs", services)],
  });
  return worker;
}

async function executedBy(worker: WorkerProcess): Promise<unknown> {
  const { output } = await worker.invoke({ service: "count" });
  return output;
}

function post(worker: WorkerProcess, ms: number): Promise<Response> {
  return worker.fetch("/work", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ms }),
  });
}

describe("A worker that is asked for more than it can compute", () => {
  let worker: WorkerProcess;

  before(async () => {
    worker = await startWorker({ waitMs: 50 });
  });

  after(async () => {
    await worker[Symbol.asyncDispose]();
  });

  it("answers all of a burst", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(worker, 6)));

    assert.deepEqual(answers.map(({ status }) => status), Array(20).fill(200));
    await Promise.all(answers.map(async (answer) => await answer.body?.cancel()));
    assert.deepEqual(await executedBy(worker), { executed: 20 });
  });

  it("answers what it can, and refuses the rest with the reason and when to come again", async () => {
    const refusals: Response["status"][] = [];
    const problems = new Set<string>();
    const { ok, sent, failed } = await runLoad({
      url: `${worker.url}/work`,
      requests: 600,
      concurrency: 100,
      method: "POST",
      body: JSON.stringify({ ms: 10 }),
      onEnd: ({ outcome }, answer) => {
        if (outcome === "ok" || answer === undefined) return;
        refusals.push(answer.status);
        const { code } = JSON.parse(answer.body);
        problems.add(`${code} ${answer.headers["content-type"]} ${answer.headers["retry-after"]}`);
      },
    });

    assert.ok(ok > 0 && refusals.length > 0, `${ok} answered, ${refusals.length} refused`);
    assert.equal(ok + refusals.length, sent, JSON.stringify(failed.slice(0, 3)));
    assert.deepEqual([...new Set(refusals)], [503]);
    assert.deepEqual([...problems], ["REQUEST_OVERLOAD application/problem+json 1"]);
    assert.deepEqual(await executedBy(worker), { executed: 20 + ok });
    await worker.logged("Overloaded: requests are refused");
    await worker.logged("No longer overloaded");
    const counted = (figures: HeartbeatMessage) => figures.refusedTotal === refusals.length;
    const { errorsTotal } = await worker.message("heartbeat", counted);
    assert.equal(errorsTotal, refusals.length);
  });

  it("goes on telling balancers that it is ready, and running what it is told to", async () => {
    const over = new AbortController();
    const load = runLoad({
      url: `${worker.url}/work`,
      requests: 5_000,
      concurrency: 30,
      method: "POST",
      body: JSON.stringify({ ms: 10 }),
      signal: over.signal,
    });
    await worker.message("heartbeat", ({ inFlight }) => inFlight > 0);
    const ready = await worker.fetch("/dragoman/readyz");
    const invoked = await worker.invoke({ service: "count", timeoutMs: 60_000 });
    over.abort();
    await load;

    assert.equal(ready.status, 200);
    await ready.body?.cancel();
    assert.equal(invoked.error, undefined);
  });

  it("takes everything again as soon as it has caught up", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(worker, 1)));

    assert.deepEqual(answers.map(({ status }) => status), Array(5).fill(200));
    await Promise.all(answers.map(async (answer) => await answer.body?.cancel()));
  });
});

describe("A worker that runs something that computes in slices", () => {
  it("goes on answering requests beside it", async () => {
    await using worker = await startWorker({});
    const job = worker.invoke({ service: "slices", timeoutMs: 60_000 });
    await worker.message("heartbeat", ({ eventLoopDelayMs }) => eventLoopDelayMs >= 50);
    const answers = await Promise.all(Array.from({ length: 12 }, () => post(worker, 1)));
    await worker.invoke({ service: "go" });
    const { error } = await job;

    assert.deepEqual(answers.map(({ status }) => status), Array(12).fill(200));
    assert.equal(error, undefined);
    await Promise.all(answers.map(async (answer) => await answer.body?.cancel()));
  });
});

describe("A worker whose services wait for others", () => {
  it("refuses requests once as many as may be have no answer", async () => {
    await using worker = await startWorker({ inFlight: 3 });
    const waiting = [1, 2, 3].map(() => worker.fetch("/wait"));
    await worker.message("heartbeat", ({ inFlight }) => inFlight === 3);
    const refused = await worker.fetch("/wait");
    const alive = await worker.fetch("/dragoman/livez");
    await worker.invoke({ service: "go" });
    const answers = await Promise.all(waiting);

    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("retry-after"), "1");
    assert.equal(alive.status, 200);
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200]);
    await Promise.all(
      [refused, alive, ...answers].map(async (answer) => await answer.body?.cancel()),
    );
  });
});
