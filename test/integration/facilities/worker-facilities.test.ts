import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { userConfig } from "../../../src/service/kinds/user-config.ts";
import { poll } from "../../../src/lib/wait.ts";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { sealSpec } from "../../../src/security/secrets.ts";
import type { RequestMessage } from "../../../src/server/worker/protocol.ts";
import { clusterKey, object, WorkerProcess } from "../data-plane/worker-process.ts";
import { type KvdbPeer, kvdbs } from "./kvdbs.ts";

const services = `
export const price = defineService({
  name: "price",
  input: z.object({ currency: z.string() }),
  handle: ({ input, cache, kvdb }) =>
    cache("rates").getOrSet(input.currency, () => kvdb.increment("made")),
});
let madeHere = 0;
export const local = defineService({
  name: "local",
  handle: ({ cache }) => cache("rates").getOrSet("local", () => ++madeHere),
});
export const count = defineService({ name: "count", handle: ({ kvdb }) => kvdb.increment("n") });
export const words = defineService({
  name: "words",
  handle: ({ translate, config }) => ({
    word: translate("gender", { from: "crm", to: "erp", value: "F" }),
    ...config("shop"),
  }),
});
export const ship = defineService({ name: "ship", handle: () => "shipped" });
export const order = defineService({
  name: "order",
  handle: ({ lock, invokeAsync }) =>
    lock("orders", async ({ token }) => ({ token, ...await invokeAsync("ship", { id: 7 }) })),
});
`;

/** Answers what a worker asks as a supervisor would, and notes it. */
function supervise(worker: WorkerProcess): RequestMessage[] {
  const asked: RequestMessage[] = [];
  const replies: Partial<Record<RequestMessage["topic"], unknown>> = {
    enqueue: "id-1",
    cancel: true,
    lock: 42,
    renewLock: true,
    unlock: true,
    push: 0,
  };
  worker.child.on("message", (message: { readonly type: string }) => {
    if (message.type !== "request") return;
    const request = message as RequestMessage; // its type says so
    asked.push(request);
    worker.send({ type: "reply", id: request.id, reply: replies[request.topic] });
  });
  return asked;
}

for (const { name, start } of kvdbs) {
  describe(`Two workers and ${name}`, () => {
    let peer: KvdbPeer;
    let workers: readonly WorkerProcess[] = [];
    before(async () => {
      peer = await start();
      const kvdb = { url: peer.url };
      workers = await Promise.all([1, 2].map(() => WorkerProcess.start({ kvdb })));
      for (const worker of workers) {
        const rates = object("Cache", "rates", { scope: "cluster" });
        const bundles = [await worker.bundle("services.ts", services)];
        const { failures } = await worker.configure({ upserted: [rates], bundles });
        assert.deepEqual(failures, []);
      }
    });
    after(async () => {
      for (const worker of workers) await worker[Symbol.asyncDispose]();
      await peer?.stop();
    });
    const invoke = async (at: number, service: string, input: unknown = {}) => {
      const { output, error } = await workers[at]!.invoke({ service, input });
      return error?.code ?? output;
    };

    it("share a cache and counters", async () => {
      const EUR = { currency: "EUR" };

      assert.equal(await invoke(0, "price", EUR), 1);
      assert.equal(await invoke(1, "price", EUR), 1);
      assert.equal(await invoke(1, "price", { currency: "USD" }), 2);
      const counts = await Promise.all(
        Array.from({ length: 50 }, (_, i) => invoke(i % 2, "count")),
      );
      const sorted = counts.map(Number).sort((a, b) => a - b);
      assert.deepEqual(sorted, Array.from({ length: 50 }, (_, i) => i + 1));
    });

    it("go on without the KVDB, each with a cache of its own", async () => {
      assert.equal(await invoke(0, "count"), 51);

      await peer.kill();

      assert.equal(await invoke(0, "count"), "KVDB_UNREACHABLE");
      for (const at of [0, 1, 0, 1]) assert.equal(await invoke(at, "local"), 1);
      await workers[0]!.logged("The cache is this worker's alone for now");

      await peer.restart();
      for (const at of [0, 1]) {
        const isBack = async () => await invoke(at, "count") !== "KVDB_UNREACHABLE" || undefined;
        assert.ok(await poll(isBack, { timeoutMs: 20_000 }), "The KVDB never came back");
      }
      const price = await invoke(0, "price", { currency: "EUR" });
      assert.equal(await invoke(1, "price", { currency: "EUR" }), price);
    });
  });
}

describe("A worker's facilities", () => {
  it("reach services: dictionaries, configuration, locks, durable invocations", async () => {
    await using worker = await WorkerProcess.start();
    const asked = supervise(worker);
    const spec = await sealSpec(userConfig, { values: { currency: "EUR" }, secret: "s3cret" }, {
      key: parseClusterKey(clusterKey),
      name: "shop",
    });
    const bundles = [await worker.bundle("services.ts", services)];
    const { failures } = await worker.configure({
      bundles,
      upserted: [
        object("Dictionary", "gender", { entries: [{ crm: "F", erp: "female" }] }),
        object("Dictionary", "broken", { entries: [{ crm: "F" }, { crm: "F" }] }),
        object("UserConfig", "shop", spec),
      ],
    });

    assert.deepEqual(failures.map((failure) => failure.name), ["broken"]);
    assert.deepEqual((await worker.invoke({ service: "words" })).output, {
      word: "female",
      values: { currency: "EUR" },
      secret: "s3cret",
    });
    assert.deepEqual((await worker.invoke({ service: "order" })).output, {
      token: 42,
      id: "id-1",
    });
    assert.deepEqual(asked.map(({ topic }) => topic), ["lock", "enqueue", "unlock"]);
    assert.doesNotMatch(worker.log, /s3cret/);
  });
});
