import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { poll, withTimeout } from "../../lib/wait.ts";
import { type FaultProxy, openFaultProxy } from "./tcp-proxy.ts";

/** Answers every piece of data with itself, and counts what it got. */
let echo: Server;
let received = 0;
let proxy: FaultProxy;
const clients: Socket[] = [];

before(async () => {
  echo = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      received += chunk.length;
      socket.write(chunk);
    });
  });
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
});

beforeEach(async () => {
  received = 0;
  const { port } = echo.address() as AddressInfo; // a TCP server has no other kind of address
  proxy = await openFaultProxy({ host: "127.0.0.1", port });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
});

after(() => void echo.close());

async function open(): Promise<Socket> {
  const client = connect(proxy.port, "127.0.0.1");
  clients.push(client);
  await once(client, "connect");
  return client;
}

async function say(client: Socket, text: string): Promise<string> {
  const answered = once(client, "data");
  client.write(text);
  const [chunk] = await within(answered);
  return String(chunk);
}

function within<T>(promise: Promise<T>): Promise<T> {
  return withTimeout(promise, 5_000, () => new Error("Nothing came within 5 s"));
}

/** How a connection ended. */
function ending(client: Socket): Promise<string> {
  return within(
    new Promise((resolve) => {
      client.once("error", (error) => resolve("code" in error ? String(error.code) : "error"));
      client.once("end", () => resolve("end"));
    }),
  );
}

describe("The TCP fault proxy", () => {
  it("passes data on in both directions, and the end", async () => {
    const client = await open();

    assert.equal(await say(client, "hello"), "hello");
    assert.equal(proxy.connections, 1);
    client.end();
    assert.equal(await ending(client), "end");
    assert.equal(
      await poll(() => proxy.connections === 0 || undefined, { timeoutMs: 5_000 }),
      true,
    );
  });

  it("delays every piece", async () => {
    const client = await open();
    await proxy.set({ delayMs: 60 });

    const began = performance.now();
    await say(client, "hello");

    // There and back again.
    assert.ok(performance.now() - began >= 115);
  });

  it("throttles", async () => {
    const client = await open();
    await proxy.set({ bytesPerSecond: 10_000 });

    const began = performance.now();
    await say(client, "x".repeat(1_000));

    assert.ok(performance.now() - began >= 190);
  });

  it("resets what is there and refuses what comes while it is down, then serves again", async () => {
    const client = await open();
    await say(client, "hello");
    const ended = ending(client);

    await proxy.set({ down: true });

    assert.equal(await ended, "ECONNRESET");
    await assert.rejects(open(), { code: "ECONNREFUSED" });
    await proxy.set({});
    assert.equal(await say(await open(), "again"), "again");
  });

  it("holds everything back while frozen, and loses none of it", async () => {
    const client = await open();
    await say(client, "hello");
    await proxy.set({ frozen: "both" });
    let heard = "";
    client.on("data", (chunk) => heard += String(chunk));
    client.write("held");
    const late = await open();
    late.write("late");
    // Another link, so that what is frozen has had the time to come if it could.
    const { port } = echo.address() as AddressInfo; // a TCP server has no other kind of address
    const free = await openFaultProxy({ host: "127.0.0.1", port });
    const other = connect(free.port, "127.0.0.1");
    assert.equal(await say(other, "free"), "free");
    other.destroy();
    await free.close();

    assert.equal(heard, "");
    assert.equal(received, "hello".length + "free".length);
    await proxy.set({});
    assert.equal(await poll(() => heard === "held" || undefined, { timeoutMs: 5_000 }), true);
    assert.equal(String((await within(once(late, "data")))[0]), "late");
  });

  it("lets requests through and keeps answers when half open", async () => {
    const client = await open();
    await proxy.set({ frozen: "answers" });
    let heard = "";
    client.on("data", (chunk) => heard += String(chunk));

    client.write("done");

    const arrived = await poll(() => received === 4 || undefined, { timeoutMs: 5_000 });
    assert.equal(arrived, true);
    assert.equal(heard, "");
    await proxy.set({});
    assert.equal(await poll(() => heard === "done" || undefined, { timeoutMs: 5_000 }), true);
  });

  it("cuts an answer in the middle", async () => {
    await proxy.set({ cutAfterBytes: 5 });
    const client = await open();
    let heard = "";
    client.on("data", (chunk) => heard += String(chunk));
    const ended = ending(client);

    client.write("0123456789");

    assert.equal(await ended, "ECONNRESET");
    assert.equal(heard, "01234");
  });

  it("resets once when told to", async () => {
    const client = await open();
    await say(client, "hello");
    const ended = ending(client);

    proxy.reset();

    assert.equal(await ended, "ECONNRESET");
    assert.equal(await say(await open(), "again"), "again");
  });
});
