import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { RequestMessage, Requests } from "../../../src/server/worker/protocol.ts";
import type { InitMessage } from "../../../src/server/worker/protocol.ts";
import { poll } from "../../../src/lib/wait.ts";
import { object, WorkerProcess } from "../data-plane/worker-process.ts";
import { type KvdbPeer, kvdbs } from "../facilities/kvdbs.ts";
import { connectClient, type SocketClient } from "./client.ts";
import { RawSocket } from "./raw-socket.ts";
import { services } from "./services.ts";

const channels = [
  object("WebSocketChannel", "chat", {
    path: "/chat",
    services: ["say"],
    security: "none",
    topics: ["*"],
    bufferBytesMax: 100_000,
  }),
  object("WebSocketChannel", "other", { path: "/other", service: "echo", security: "none" }),
];

async function startWorker(init: Partial<InitMessage> = {}): Promise<WorkerProcess> {
  const worker = await WorkerProcess.start(init);
  const bundles = [await worker.bundle("services.ts", services)];
  assert.deepEqual((await worker.configure({ bundles, upserted: channels })).failures, []);
  return worker;
}

/** Pushes, until the client has something: subscriptions to a KVDB take a moment. */
async function pushUntil(
  worker: WorkerProcess,
  input: Record<string, unknown>,
  client: SocketClient,
): Promise<void> {
  const came = await poll(async () => {
    await worker.invoke({ service: "say", input: { channel: "chat", ...input } });
    return client.inbox.length > 0 || undefined;
  }, { timeoutMs: 20_000 });
  if (came === undefined) throw new Error(`No push arrived: ${worker.log}`);
}

/** Everything that comes before a mark that is pushed to all. */
async function heard(worker: WorkerProcess, clients: readonly SocketClient[]): Promise<unknown[]> {
  await worker.invoke({ service: "say", input: { channel: "chat", data: "mark" } });
  return await Promise.all(clients.map(async (client) => {
    const found: unknown[] = [];
    for (;;) {
      const { data } = await client.push();
      if (data === "mark") return found;
      found.push(data);
    }
  }));
}

for (const { name, start } of kvdbs) {
  describe(`Pushes over two workers and ${name}`, () => {
    let peer: KvdbPeer;
    let workers: readonly [WorkerProcess, WorkerProcess];
    before(async () => {
      peer = await start();
      const init = { kvdb: { url: peer.url } };
      workers = [await startWorker(init), await startWorker(init)];
      using probe = await connectClient(`${workers[1].url}/chat`);
      await pushUntil(workers[0], { data: "up" }, probe);
    });
    after(async () => {
      for (const worker of workers ?? []) await worker[Symbol.asyncDispose]();
      await peer?.stop();
    });

    it("reach everybody on the channel, by topic, by connection, and nobody else", async () => {
      using here = await connectClient(`${workers[0].url}/chat`);
      using there = await connectClient(`${workers[1].url}/chat`);
      using apart = await connectClient(`${workers[1].url}/other`);
      await there.ask({ type: "subscribe", topic: "news" });
      const sendTo = (data: string, to: Record<string, unknown>) =>
        here.ask({ service: "say", input: { data, to } });

      await sendTo("all", {});
      await sendTo("subscribers", { topic: "news" });
      await sendTo("nobody", { topic: "olds" });
      await sendTo("strangers", { connection: "no such one" });

      assert.deepEqual(await heard(workers[1], [here, there]), [
        ["all"],
        ["all", "subscribers"],
      ]);
      assert.deepEqual(apart.inbox, []);
      await there.ask({ type: "unsubscribe", topic: "news" });
      await sendTo("subscribers", { topic: "news" });
      assert.deepEqual(await heard(workers[0], [there]), [[]]);
    });

    it("reach one connection on another server", async () => {
      using here = await connectClient(`${workers[0].url}/chat`);
      const there = await connectClient(`${workers[1].url}/chat`);
      using _there = there;
      const other = await connectClient(`${workers[1].url}/chat`);
      using _other = other;
      await other.ask({ type: "subscribe", topic: "me" });
      await there.ask({ type: "subscribe", topic: "you" });

      await here.ask({ service: "say", input: { data: 1, to: { topic: "you" } } });

      assert.deepEqual(await there.push(), { type: "push", topic: "you", data: 1 });
      assert.deepEqual(await heard(workers[0], [other]), [[]]);
    });

    it("reach this worker's clients while the KVDB is away, and all when it is back", async () => {
      using here = await connectClient(`${workers[0].url}/chat`);
      using there = await connectClient(`${workers[1].url}/chat`);
      await peer.kill();
      await workers[0].logged("KVDB is down");

      const { error } = await workers[0].invoke({
        service: "say",
        input: { channel: "chat", data: "alone" },
      });
      assert.equal(error, undefined);
      assert.equal((await here.push()).data, "alone");
      await workers[0].logged("Pushes reach the clients of this server alone for now");

      await peer.restart();
      await pushUntil(workers[0], { data: "together" }, there);
      await workers[0].logged("Pushes reach the clients of all servers again");
    });
  });
}

describe("Pushes without a KVDB", () => {
  it("go to the other workers of the server through its supervisor", async () => {
    await using first = await startWorker();
    await using second = await startWorker();
    // What a supervisor does with it.
    first.child.on("message", (message: { readonly type: string }) => {
      if (message.type !== "request") return;
      const { topic, body } = message as RequestMessage; // its type says so
      assert.equal(topic, "push");
      const { text } = body as Requests["push"]["body"];
      for (const worker of [first, second]) worker.send({ type: "push", text });
    });
    using here = await connectClient(`${first.url}/chat`);
    using there = await connectClient(`${second.url}/chat`);

    await here.ask({ service: "say", input: { data: { greeting: "hi" } } });

    assert.deepEqual(await there.push(), { type: "push", data: { greeting: "hi" } });
    assert.deepEqual(await here.push(), { type: "push", data: { greeting: "hi" } });
    assert.deepEqual(here.inbox, []);
  });

  it("are refused for a channel that there is not, and for what is not JSON", async () => {
    await using worker = await startWorker();
    const say = (input: Record<string, unknown>) => worker.invoke({ service: "say", input });

    assert.equal((await say({ channel: "none", data: 1 })).error?.code, "SOCKET_PUSH_NONE");
    assert.equal((await say({ channel: "chat" })).error?.code, "VALUE_NOT_JSON");
  });

  it("drop a client that does not read, and go on to the others", async () => {
    await using worker = await startWorker();
    using deaf = await RawSocket.connect(worker.port, "/chat");
    deaf.socket.pause();
    using reader = await connectClient(`${worker.url}/chat`);
    const data = "x".repeat(100_000);

    const dropped = await poll(async () => {
      await worker.invoke({ service: "say", input: { channel: "chat", data } });
      await reader.push();
      return worker.log.includes("does not read and is dropped") || undefined;
    }, { timeoutMs: 30_000, intervalMs: 1 });

    assert.equal(dropped, true);
    assert.equal((await reader.ask({ service: "say", input: { data: "fine" } })).ok, true);
    assert.equal((await reader.push()).data, "fine");
  });
});
