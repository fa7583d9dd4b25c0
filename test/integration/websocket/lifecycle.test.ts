import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { object, WorkerProcess } from "../data-plane/worker-process.ts";
import { connectClient, SocketClient } from "./client.ts";
import { handshakeStatus } from "./raw-socket.ts";
import { services } from "./services.ts";

function chat(name: string, more: Record<string, unknown> = {}, revision = 1) {
  const spec = {
    path: `/${name}`,
    services: ["echo", "slow", "release"],
    security: "none",
    onDisconnect: "bye",
    ...more,
  };
  return object("WebSocketChannel", name, spec, revision);
}

async function startWorker(): Promise<WorkerProcess> {
  const worker = await WorkerProcess.start();
  const bundles = [await worker.bundle("services.ts", services)];
  const upserted = [chat("first"), chat("second")];
  assert.deepEqual((await worker.configure({ bundles, upserted })).failures, []);
  return worker;
}

async function began(worker: WorkerProcess, client: SocketClient): Promise<void> {
  client.send({ id: "slow", service: "slow" });
  await worker.logged("slow began");
}

describe("The connections of a worker", () => {
  it("stay when other channels change, and close after their answers when their own does", async () => {
    await using worker = await startWorker();
    const bundles = [await worker.bundle("services.ts", services)];
    const first = await connectClient(`${worker.url}/first`);
    using second = await connectClient(`${worker.url}/second`);
    await began(worker, first);

    await worker.configure({ bundles, upserted: [chat("first", { idleMs: 60_000 }, 2)] });

    assert.equal(await handshakeStatus(worker.port, "/first"), 101);
    await second.ask({ service: "release" });
    const answer = await first.take(({ id }) => id === "slow");
    assert.deepEqual(answer.output, { how: "released" });
    assert.deepEqual(await first.closed, { code: 1012, reason: "The channel has changed" });
    assert.equal((await second.ask({ service: "echo", input: { text: "x" } })).ok, true);
  });

  it("close when their channel goes away or becomes inactive", async () => {
    await using worker = await startWorker();
    const bundles = [await worker.bundle("services.ts", services)];
    const first = await connectClient(`${worker.url}/first`);
    const second = await connectClient(`${worker.url}/second`);

    await worker.configure({
      bundles,
      removed: [{ kind: "WebSocketChannel", name: "first" }],
      upserted: [chat("second", { active: false }, 2)],
    });

    assert.equal((await first.closed).code, 1001);
    assert.equal((await second.closed).code, 1012);
    assert.equal(await handshakeStatus(worker.port, "/first"), 404);
    assert.equal(await handshakeStatus(worker.port, "/second"), 404);
    const { error } = await worker.invoke({
      service: "say",
      input: { channel: "first", data: 1 },
    });
    assert.equal(error?.code, "SOCKET_PUSH_NONE");
  });

  it("stay when new code is deployed, which answers the next message", async () => {
    await using worker = await startWorker();
    using client = await connectClient(`${worker.url}/first`);
    await began(worker, client);
    const newer = services.replace("({ text: input.text })", "({ text: `new ${input.text}` })");

    await worker.configure({ bundles: [await worker.bundle("services.ts", newer)] });

    const echoed = await client.ask({ service: "echo", input: { text: "x" } });
    assert.deepEqual(echoed.output, { text: "new x" });
  });

  it("close when their service is deployed nowhere any more, until it is again", async () => {
    await using worker = await startWorker();
    const client = await connectClient(`${worker.url}/first`);

    const { failures } = await worker.configure({ bundles: [] });

    assert.equal(failures.length, 2);
    assert.equal((await client.closed).code, 1012);
    assert.equal(await handshakeStatus(worker.port, "/first"), 404);
    await worker.configure({ bundles: [await worker.bundle("services.ts", services)] });
    using again = await connectClient(`${worker.url}/first`);
    assert.equal((await again.ask({ service: "echo", input: { text: "x" } })).ok, true);
  });

  it("are answered and sent elsewhere when the worker drains", async () => {
    await using worker = await startWorker();
    const client = await connectClient(`${worker.url}/first`);
    const connection = new SocketClient(`${worker.url}/second`, {});
    await connection.opened();
    const id = await connection.welcomed();
    await began(worker, client);

    worker.send({ type: "drain", timeoutMs: 20_000 });

    assert.equal((await connection.closed).code, 1001);
    await worker.logged(`bye {"connection":"${id}","code":1001`);
    assert.equal(await handshakeStatus(worker.port, "/first"), 503);
    assert.equal((await worker.fetch("/dragoman/readyz")).status, 503);
    await worker.invoke({ service: "release", input: undefined });
    assert.deepEqual((await client.take(({ id }) => id === "slow")).output, { how: "released" });
    assert.equal((await client.closed).code, 1001);
    assert.equal((await worker.message("drained")).abandoned, 0);
    assert.equal((await worker.exited).code, 0);
  });

  it("do not hold up a drain beyond its time, and what was cut off is counted", async () => {
    await using worker = await startWorker();
    using client = await connectClient(`${worker.url}/first`);
    await began(worker, client);

    worker.send({ type: "drain", timeoutMs: 600 });

    assert.equal((await worker.message("drained")).abandoned, 1);
    assert.equal((await worker.exited).code, 0);
  });

  it("are noticed to be dead by pings that nobody answers", async () => {
    await using worker = await startWorker();
    const bundles = [await worker.bundle("services.ts", services)];
    await worker.configure({ bundles, upserted: [chat("first", { pingMs: 150 }, 2)] });
    using alive = await connectClient(`${worker.url}/first`);
    const script = `
      const socket = new WebSocket("ws://127.0.0.1:${worker.port}/first");
      socket.onmessage = ({ data }) => process.stdout.write(data);`;
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, ["eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      let said = "";
      child.stdout.on("data", (text) => said += text);
      await poll(() => said.includes("connected") || undefined, { timeoutMs: 20_000 });

      child.kill("SIGSTOP");

      await worker.logged(`bye {"connection":"${JSON.parse(said).connection}"`);
      assert.equal((await alive.ask({ service: "echo", input: { text: "x" } })).ok, true);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
