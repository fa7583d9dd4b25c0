import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import { object, WorkerProcess } from "../data-plane/worker-process.ts";
import { connectClient, SocketClient } from "./client.ts";
import { services } from "./services.ts";

const open = { security: "none" };

describe("Messages over a WebSocketChannel", () => {
  let worker: WorkerProcess;
  before(async () => {
    worker = await WorkerProcess.start();
    const { failures } = await worker.configure({
      bundles: [await worker.bundle("services.ts", services)],
      upserted: [
        object("WebSocketChannel", "one", { ...open, path: "/one", service: "echo" }),
        object("WebSocketChannel", "many", {
          ...open,
          path: "/many/{room}",
          services: {
            about: "about",
            text: "echo",
            slow: "slow",
            release: "release",
            broken: "broken",
            refuse: "refuse",
            odd: "odd",
          },
          topics: ["room.*", "news"],
          authorizeTopic: "may-join",
          inFlightMax: 3,
          timeoutMs: 400,
        }),
        object("WebSocketChannel", "patient", {
          ...open,
          path: "/patient",
          services: ["slow"],
        }),
        object("WebSocketChannel", "gated", {
          ...open,
          path: "/gated",
          services: ["say"],
          onConnect: "gate",
          onDisconnect: "bye",
        }),
        object("WebSocketChannel", "small", {
          ...open,
          path: "/small",
          service: "echo",
          messageBytesMax: 1_000,
          messagesPerSecond: 5,
          connectionsMax: 2,
          subprotocols: ["chat.v2", "chat.v1"],
        }),
        object("WebSocketChannel", "brief", {
          ...open,
          path: "/brief",
          service: "echo",
          idleMs: 300,
        }),
      ],
    });
    assert.deepEqual(failures, []);
  });
  after(() => worker[Symbol.asyncDispose]());

  it("answers the one service's messages by their ids, texts and numbers", async () => {
    using client = await connectClient(`${worker.url}/one`);

    client.send({ id: "a", input: { text: "first" } });
    client.send({ id: 2, input: { text: "second" } });

    const first = await client.take(({ id }) => id === "a");
    assert.deepEqual(first, { id: "a", ok: true, output: { text: "first" } });
    const second = await client.take(({ id }) => id === 2);
    assert.deepEqual(second, { id: 2, ok: true, output: { text: "second" } });
  });

  it("does not answer a good message without an id, but says what was wrong with it", async () => {
    using client = await connectClient(`${worker.url}/one`);

    client.send({ input: { text: "quiet" } });
    client.send({ input: { text: 7 } });

    const answer = await client.take(() => true);
    assert.equal(answer.ok, false);
    assert.equal(answer.error?.code, "REQUEST_INPUT_INVALID");
    assert.deepEqual(client.inbox, []);
  });

  it("names the wrong fields of an input", async () => {
    using client = await connectClient(`${worker.url}/one`);

    const { ok, error } = await client.ask({ input: { text: 7 } });

    assert.equal(ok, false);
    assert.equal(error?.status, 400);
    assert.deepEqual(error?.errors?.map(({ pointer }) => pointer), ["/text"]);
    assert.match(error?.cid ?? "", /^[0-9A-Z]{26}$/);
  });

  it("gives services the handshake, the connection, and a cid for each message", async () => {
    const client = new SocketClient(`${worker.url}/many/blue?a=1&b=2`, {
      headers: { "X-Agent": "tester" },
    });
    await client.opened();
    using _ = client;
    const connection = await client.welcomed();

    const one = (await client.ask({ service: "about" })).output as Record<string, unknown>;
    const two = (await client.ask({ service: "about" })).output as Record<string, unknown>;

    assert.notEqual(one["cid"], two["cid"]);
    const { cid: _cid, raw, ...rest } = one;
    assert.deepEqual(rest, {
      channel: { kind: "WebSocketChannel", name: "many" },
      method: "",
      path: "/many/blue",
      params: { room: "blue" },
      query: "a=1&b=2",
      agent: "tester",
      connection,
      remoteAddress: "127.0.0.1",
    });
    assert.deepEqual(JSON.parse(String(raw)), { id: 1, service: "about" });
  });

  it("reaches the listed services by their own names only", async () => {
    using client = await connectClient(`${worker.url}/many/blue`);

    assert.equal((await client.ask({ service: "text", input: { text: "x" } })).ok, true);
    for (const service of ["echo", "secret", "constructor", "__proto__", ""]) {
      const { error } = await client.ask({ service });
      assert.equal(error?.code, "SOCKET_SERVICE_UNKNOWN", service);
    }
    for (const service of [undefined, 7, null, "x".repeat(201)]) {
      assert.equal((await client.ask({ service })).error?.code, "REQUEST_MALFORMED");
    }
  });

  it("tells clients of failures what REST clients are told, and nothing of the inside", async () => {
    using client = await connectClient(`${worker.url}/many/blue`);

    const broken = await client.ask({ service: "broken" });
    assert.equal(broken.error?.status, 500);
    assert.doesNotMatch(JSON.stringify(broken), /tiger/);
    assert.equal((await client.ask({ service: "odd" })).error?.code, "SERVICE_OUTPUT_NOT_JSON");
    const refused = await client.ask({ service: "refuse" });
    assert.partialDeepStrictEqual(refused.error, {
      status: 409,
      detail: "Not today",
      details: { day: 7 },
    });
    await worker.logged("the database password is tiger");
  });

  it("ends a message at its deadline, and aborts the service's signal", async () => {
    using client = await connectClient(`${worker.url}/many/blue`);

    const { error } = await client.ask({ service: "slow" });

    assert.equal(error?.code, "REQUEST_TIMEOUT");
    await worker.logged("slow ended: aborted: REQUEST_TIMEOUT");
  });

  it("works on so many messages at once and no more, and answers in any order", async () => {
    using client = await connectClient(`${worker.url}/many/blue`);

    for (const id of ["a", "b", "c"]) client.send({ id, service: "slow" });
    const { error } = await client.ask({ service: "about" });

    assert.equal(error?.code, "SOCKET_BUSY");
    for (const id of ["a", "b", "c"]) await client.take((answer) => answer.id === id);
    assert.equal((await client.ask({ service: "about" })).ok, true);
  });

  it("answers malformed messages and goes on", async () => {
    using client = await connectClient(`${worker.url}/one`);
    const wrong = [
      "",
      "{",
      "[]",
      "7",
      "null",
      '"text"',
      '{"id":{}}',
      '{"id":true}',
      `{"id":"${"x".repeat(201)}"}`,
      '{"__proto__":{"id":1}}',
      '{"input":{"__proto__":1}}',
      '{"type":"shout"}',
      '{"type":"subscribe"}',
      '{"type":"subscribe","topic":"a b"}',
      '{"type":"authenticate","token":"x"}',
      '{"service":"echo","input":{}}',
      "[".repeat(100_000),
    ];

    for (const text of wrong) {
      client.send(text);
      const { error } = await client.take(() => true);
      assert.equal(error?.code, "REQUEST_MALFORMED", text.slice(0, 50));
    }
    client.socket.send(new Uint8Array([123, 125]));
    assert.equal((await client.take(() => true)).error?.code, "REQUEST_MALFORMED");
    assert.equal((await client.ask({ input: { text: "still here" } })).ok, true);
  });

  it("lets clients join the topics that the channel and its service allow", async () => {
    using client = await connectClient(`${worker.url}/many/blue`);

    assert.equal((await client.ask({ type: "subscribe", topic: "room.blue" })).ok, true);
    for (const topic of ["room.red", "news", "other", "room."]) {
      const { error } = await client.ask({ type: "subscribe", topic });
      assert.equal(error?.code, "SOCKET_TOPIC_REFUSED", topic);
    }
    assert.equal((await client.ask({ type: "unsubscribe", topic: "room.blue" })).ok, true);
  });

  it("asks onConnect, which may put clients into topics or refuse them", async () => {
    using client = await connectClient(`${worker.url}/gated`);
    await client.ask({ service: "say", input: { data: "hello", to: { topic: "lobby" } } });
    assert.deepEqual(await client.push(), { type: "push", topic: "lobby", data: "hello" });

    const banned = new SocketClient(`${worker.url}/gated?banned=yes`, {});
    assert.equal((await banned.take(() => true)).error?.detail, "You are banned");
    assert.deepEqual(await banned.closed, { code: 3003, reason: "You are banned" });

    const broken = new SocketClient(`${worker.url}/gated?broken=yes`, {});
    assert.deepEqual(await broken.closed, { code: 1011, reason: "The connection was refused" });
  });

  it("calls onDisconnect with why, for clients that were let in", async () => {
    const client = await new SocketClient(`${worker.url}/gated`, {}).opened();
    const connection = await client.welcomed();

    client.socket.close(4321, "enough");

    const input = { connection, code: 4321, reason: "enough", topics: ["lobby"] };
    await worker.logged(`bye ${JSON.stringify(input)}`);
    await new SocketClient(`${worker.url}/gated?banned=yes`, {}).closed;
    assert.equal(worker.log.split("bye {").length, 3); // the one above, and the one before it
  });

  it("aborts what a client that has gone was waiting for", async () => {
    const client = await connectClient(`${worker.url}/patient`);
    const begun = () => worker.log.split("slow began").length;
    const before = begun();
    client.send({ service: "slow" });
    await poll(() => begun() > before || undefined, { timeoutMs: 10_000, intervalMs: 5 });

    client.socket.close();

    await worker.logged("slow ended: aborted: REQUEST_ABANDONED");
  });

  it("ends connections that send too much, too fast or nothing", async () => {
    const large = await connectClient(`${worker.url}/small`);
    large.send({ id: 1, input: { text: "é".repeat(490) } });
    assert.equal((await large.closed).code, 1009);

    const fast = await connectClient(`${worker.url}/small`);
    for (let index = 0; index < 11; index++) fast.send({ input: { text: "x" } });
    assert.deepEqual(await fast.closed, { code: 1008, reason: "Too many messages" });

    const idle = await connectClient(`${worker.url}/brief`);
    assert.deepEqual(await idle.closed, { code: 1001, reason: "Nothing was said" });
  });

  it("takes so many connections and no more", async () => {
    const first = await connectClient(`${worker.url}/small`);
    using _second = await connectClient(`${worker.url}/small`);

    await assert.rejects(new SocketClient(`${worker.url}/small`, {}).opened());
    const refused = await worker.fetch("/small", { headers: handshake });
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("retry-after"), "5");
    assert.equal((await refused.json()).code, "SOCKET_FULL");

    first.socket.close();
    await first.closed;
    const third = await poll(() => connectClient(`${worker.url}/small`).catch(() => undefined), {
      timeoutMs: 10_000,
    });
    assert.ok(third, "There is no room again");
    third.socket.close();
  });

  it("chooses the first subprotocol of the client's that the channel takes", async () => {
    const client = new SocketClient(`${worker.url}/small`, { protocols: ["x", "chat.v1"] });
    using _ = await client.opened();
    assert.equal(client.socket.protocol, "chat.v1");

    const headers = { ...handshake, "Sec-WebSocket-Protocol": "other" };
    const refused = await worker.fetch("/small", { headers });
    assert.equal((await refused.json()).code, "SOCKET_SUBPROTOCOL");
  });

  it("answers other requests with 426", async () => {
    const plain = await worker.fetch("/one");
    assert.equal(plain.status, 426);
    assert.equal(plain.headers.get("upgrade"), "websocket");
    assert.equal((await plain.json()).code, "SOCKET_UPGRADE_REQUIRED");
    assert.equal((await worker.fetch("/one", { method: "POST" })).status, 405);
  });
});

/** As far as fetch may send it: enough to be refused for another reason. */
const handshake = { Upgrade: "websocket", "Sec-WebSocket-Version": "13" };
