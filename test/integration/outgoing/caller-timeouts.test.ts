import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { channel, object, WorkerProcess } from "../data-plane/worker-process.ts";
import { type Peer, sendJson, startPeer } from "./http-peer.ts";

const services = `
const held = [];
let entered = 0;
export const left = defineService({ name: "left", handle: ({ remaining }) => remaining() });
export const holds = defineService({
  name: "holds", maxConcurrent: 1, queueMax: 5,
  handle() { entered++; return new Promise((resolve) => held.push(resolve)); },
});
export const release = defineService({
  name: "release", handle() { for (const resolve of held.splice(0)) resolve(entered); },
});
export const count = defineService({ name: "count", handle: () => entered });
export const asks = defineService({
  name: "asks",
  async handle({ out, remaining }) {
    const { data } = await out.rest("next").get();
    return { left: remaining(), next: data };
  },
});`;

/** Longer than anything here takes. */
const longMs = 60_000;

async function startWorker(next: string): Promise<WorkerProcess> {
  const worker = await WorkerProcess.start();
  const { failures } = await worker.configure({
    upserted: [
      ...["left", "holds", "release", "count", "asks"].map((name) =>
        channel(`/${name}`, name, { timeoutMs: longMs })
      ),
      channel("/short", "holds", { timeoutMs: 100 }),
      object("RestOutgoing", "next", { address: next, timeoutMs: longMs }),
    ],
    bundles: [await worker.bundle("services.ts", services)],
  });
  assert.deepEqual(failures, []);
  return worker;
}

describe("What a caller says of its own time", { timeout: 120_000 }, () => {
  let headers: IncomingMessage["headers"] = {};
  let peer: Peer;
  let last: WorkerProcess;
  let first: WorkerProcess;

  before(async () => {
    peer = await startPeer((request, response) => {
      ({ headers } = request);
      sendJson(response, "end");
    });
    last = await startWorker(peer.url);
    first = await startWorker(`${last.url}/asks`);
  });
  after(async () => {
    await first?.[Symbol.asyncDispose]();
    await last?.[Symbol.asyncDispose]();
    await peer?.[Symbol.asyncDispose]();
  });

  const ask = (path: string, timeoutMs?: string) =>
    first.fetch(
      path,
      timeoutMs === undefined ? {} : {
        headers: { "X-Dragoman-Timeout-Ms": timeoutMs },
      },
    );

  it("shortens a channel's time limit, and never makes it longer", async () => {
    for (const [path, timeoutMs] of [["/holds", "100"], ["/short", "50000"]] as const) {
      const answer = await ask(path, timeoutMs);

      assert.deepEqual([answer.status, (await answer.json()).detail], [
        504,
        "The service did not answer within 100 ms",
      ]);
    }
    await (await ask("/release")).body?.cancel();
  });

  it("is what a service has left", async () => {
    const leftMs = Number(await (await ask("/left", "5000")).text());

    assert.ok(leftMs > 0 && leftMs <= 5_000, `${leftMs}`);
  });

  it("is not read where it is no whole number in digits", async () => {
    for (const text of ["", "soon", "-1", "1.5", "1e3", "0x10", "5000, 5000", "9999999999"]) {
      const answer = await ask("/left", text);

      assert.equal(answer.status, 200);
      assert.ok(Number(await answer.text()) > 50_000, text);
    }
  });

  it("keeps work from running that nobody waits for when its turn comes", async () => {
    const before = Number(await (await ask("/count")).text());
    const holding = ask("/holds");
    const isHeld = async () => Number(await (await ask("/count")).text()) > before || undefined;
    assert.ok(await poll(isHeld, { timeoutMs: 20_000, intervalMs: 5 }));

    assert.equal((await ask("/holds", "100")).status, 504);
    await (await ask("/release")).body?.cancel();

    assert.equal(await (await holding).text(), String(before + 1));
    assert.equal(await (await ask("/count")).text(), String(before + 1));
  });

  it("is passed on from service to service, less what has gone by", async () => {
    const answer = await (await ask("/asks", "5000")).json();

    const passedOn = Number(headers["x-dragoman-timeout-ms"]);
    assert.equal(answer.next.next, "end");
    assert.ok(passedOn > 0 && passedOn <= 5_000, `${passedOn}`);
    assert.ok(answer.next.left <= passedOn + 1, `${answer.next.left} of ${passedOn}`);
  });
});
