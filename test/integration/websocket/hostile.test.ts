import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { object, WorkerProcess } from "../data-plane/worker-process.ts";
import { connectClient, type SocketClient } from "./client.ts";
import { handshakeStatus, RawSocket } from "./raw-socket.ts";
import { services } from "./services.ts";

describe("Clients that keep to no rules", () => {
  let worker: WorkerProcess;
  let honest: SocketClient;
  before(async () => {
    worker = await WorkerProcess.start();
    const spec = {
      path: "/chat",
      service: "echo",
      security: "none",
      messageBytesMax: 10_000,
      pingMs: 300,
      messagesPerSecond: 100_000,
    };
    await worker.configure({
      bundles: [await worker.bundle("services.ts", services)],
      upserted: [object("WebSocketChannel", "chat", spec)],
    });
    honest = await connectClient(`${worker.url}/chat`);
  });
  after(async () => {
    honest.socket.close();
    await worker[Symbol.asyncDispose]();
  });

  const stillServes = async () => {
    const { ok } = await honest.ask({ input: { text: "fine" } });
    assert.equal(ok, true);
    assert.doesNotMatch(worker.log, /Uncaught|Unhandled/);
  };

  const huge = 0x7fff_ffff_ffff_ffffn;
  const cases: [string, (raw: RawSocket) => Promise<void>][] = [
    ["text that is not UTF-8", (raw) => raw.frame(Buffer.from([0xff, 0xfe, 0xfd]))],
    ["an unknown opcode", (raw) => raw.frame("x", { opcode: 3 })],
    ["a control frame in fragments", (raw) => raw.frame("x", { opcode: 9, isFinal: false })],
    ["a ping that is too long", (raw) => raw.frame("x".repeat(126), { opcode: 9 })],
    ["a continuation of nothing", (raw) => raw.frame("x", { opcode: 0 })],
    ["a frame that says it is huge", (raw) => raw.frame("x", { length: huge })],
    ["a frame above 64 MiB", (raw) => raw.frame("x", { length: 68_000_000n })],
    ["a close frame of one byte", (raw) => raw.frame("x", { opcode: 8 })],
    [
      "a close frame with a code that must not be sent",
      (raw) => raw.frame(Buffer.from([0x03, 0xed]), { opcode: 8 }),
    ],
    ["reserved bits", (raw) => raw.write(Buffer.from([0xf1, 0x81, 0, 0, 0, 0, 0x78]))],
    ["HTTP where frames should be", (raw) => raw.write(Buffer.from("GET / HTTP/1.1\r\n\r\n"))],
    ["a message above the channel's limit", (raw) => raw.frame("x".repeat(10_001))],
    ["as much in fragments", async (raw) => {
      await raw.frame("x".repeat(5_000), { isFinal: false });
      await raw.frame("x".repeat(5_000), { opcode: 0, isFinal: false });
      await raw.frame("x", { opcode: 0 });
    }],
  ];
  for (const [what, send] of cases) {
    it(`are cut off for ${what}`, async () => {
      using raw = await RawSocket.connect(worker.port, "/chat");
      assert.equal(raw.status, 101);
      raw.socket.resume();

      await send(raw);
      // Some are told with a close frame, which they do not answer.
      await Promise.race([raw.ended, new Promise((done) => raw.socket.once("data", done))]);

      await stillServes();
    });
  }

  it("are cut off in the middle of a flood of fragments when they answer no ping", async () => {
    using raw = await RawSocket.connect(worker.port, "/chat");
    await raw.frame("x", { isFinal: false });
    const gone = raw.ended.then(() => true);
    let isGone = false;
    void gone.then(() => isGone = true);

    for (let index = 0; index < 100_000 && !isGone; index++) {
      await raw.frame("x".repeat(100), { opcode: 0, isFinal: false });
      if (index % 100 === 0) await stillServes();
    }

    assert.equal(await gone, true);
    await stillServes();
  });

  it("do no harm by vanishing at any time", async () => {
    for (const count of [0, 1, 2, 10]) {
      const raw = await RawSocket.connect(worker.port, "/chat");
      for (let index = 0; index < count; index++) await raw.frame(`{"id":${index}}`);
      raw.socket.resetAndDestroy();
      const half = await RawSocket.connect(worker.port, "/chat");
      await half.write(Buffer.from([0x81]));
      half.socket.resetAndDestroy();
    }
    await stillServes();
  });

  it("get no connection with a handshake that is none", async () => {
    const { port } = worker;
    const status = (headers: Record<string, string>) => handshakeStatus(port, "/chat", headers);
    assert.equal(await status({ "Sec-WebSocket-Key": "" }), 400);
    assert.equal(await status({ "Sec-WebSocket-Version": "8" }), 426);
    assert.equal(await status({ Connection: "keep-alive" }), 400);
    assert.equal(await status({ Upgrade: "h2c" }), 426);
    await stillServes();
  });
});
