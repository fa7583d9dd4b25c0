import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server,
  type Socket,
} from "node:net";
import { after, describe, it } from "node:test";
import { type LoadEntry, runLoad } from "./ledger.ts";

const servers: (Server | HttpServer)[] = [];

async function listen(server: Server | HttpServer): Promise<string> {
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server has no other kind of address
  return `http://127.0.0.1:${port}/`;
}

/** A server that answers every packet by `answer(socket, how many requests came before)`. */
function scripted(answer: (socket: Socket, index: number) => void): Promise<string> {
  let index = 0;
  return listen(createNetServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => answer(socket, index++));
  }));
}

const good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

describe("The load ledger", () => {
  after(() => servers.forEach((server) => server.close()));

  it("accounts for every request, by server and with unique ids", async () => {
    const ids = new Set<string>();
    let connections = 0;
    let index = 0;
    const server = createServer((request, response) => {
      const id = new URL(request.url ?? "", "http://x").searchParams.get("id");
      assert.equal(request.headers["x-request-id"], id);
      ids.add(id ?? "");
      response.setHeader("X-Dragoman-Server", index++ % 2 === 0 ? "one" : "two");
      response.end("hello");
    });
    server.on("connection", () => connections++);
    const url = await listen(server);

    const report = await runLoad({ url: `${url}?a=1`, requests: 60, concurrency: 4 });

    assert.deepEqual(report.failed, []);
    assert.equal(report.sent, 60);
    assert.equal(report.ok, 60);
    assert.equal(ids.size, 60);
    assert.equal(connections, 4);
    assert.deepEqual(Object.fromEntries(report.byServer), { one: 30, two: 30 });
    assert.equal(report.durations.length, 60);
    assert.ok(report.p50Ms > 0 && report.p50Ms <= report.p99Ms);
  });

  const losses: Record<string, { answer: (socket: Socket) => void; reason: RegExp }> = {
    "a reset": { answer: (socket) => socket.resetAndDestroy(), reason: /^reset$/ },
    "an empty answer": { answer: (socket) => socket.end(), reason: /^closed without an answer$/ },
    "a truncated body": {
      answer: (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"),
      reason: /^truncated answer$/,
    },
    "a truncated chunked body": {
      answer: (socket) =>
        socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"),
      reason: /^truncated answer$/,
    },
    "a status that is not 2xx": {
      answer: (socket) => socket.write("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
      reason: /^status 503$/,
    },
    "silence": { answer: () => {}, reason: /^timed out after 50 ms$/ },
    "something that is not HTTP": {
      answer: (socket) => socket.write("hello\r\n\r\n"),
      reason: /^not an HTTP answer$/,
    },
    "two answers": {
      answer: (socket) => socket.write(good + good),
      reason: /^more than one answer$/,
    },
  };
  for (const [name, { answer, reason }] of Object.entries(losses)) {
    it(`counts ${name} as one failure and does not send again`, async () => {
      let received = 0;
      const url = await scripted((socket, index) => {
        received += 1;
        // The first one is good, so that the bad one meets a kept connection.
        if (index === 1) answer(socket);
        else socket.write(good);
      });

      const report = await runLoad({ url, requests: 3, concurrency: 1, timeoutMs: 50 });

      assert.equal(report.ok, 2);
      assert.equal(report.failed.length, 1);
      assert.match(report.failed[0]!.reason, reason);
      assert.equal(received, 3);
    });
  }

  it("counts a refused connection", async () => {
    const url = await scripted(() => {});
    servers.pop()!.close();

    const report = await runLoad({ url, requests: 2 });

    assert.deepEqual(report.failed.map(({ reason }) => reason), [
      "connect: ECONNREFUSED",
      "connect: ECONNREFUSED",
    ]);
  });

  it("takes a new connection, without a failure, when the server says close", async () => {
    const url = await scripted((socket) => {
      socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });

    const report = await runLoad({ url, requests: 5, concurrency: 1 });

    assert.deepEqual([report.ok, report.failed], [5, []]);
  });

  it("sends at a rate without waiting for answers", async () => {
    const waiting: Socket[] = [];
    const url = await scripted((socket) => {
      // Only the tenth request brings answers: with one in flight at a time there would be none.
      waiting.push(socket);
      if (waiting.length === 10) waiting.forEach((each) => each.write(good));
    });

    const report = await runLoad({ url, requests: 10, ratePerSecond: 1_000, timeoutMs: 5_000 });

    assert.deepEqual([report.ok, report.failed], [10, []]);
  });

  it("counts what onResponse throws, and stops when told to", async () => {
    const url = await scripted((socket) => socket.write(good));
    const stop = new AbortController();

    const report = await runLoad({
      url,
      requests: 1_000,
      concurrency: 1,
      signal: stop.signal,
      onResponse: () => {
        stop.abort();
        throw new Error("wrong greeting");
      },
    });

    assert.equal(report.sent, 1);
    assert.deepEqual(report.failed.map(({ reason }) => reason), ["wrong greeting"]);
  });

  it("gives each request a key of its own, and tells why it was refused", async () => {
    const keys = new Map<string, string | undefined>();
    const server = createServer((request, response) => {
      const id = new URL(request.url ?? "", "http://x").searchParams.get("id");
      keys.set(`"${id}"`, request.headers["idempotency-key"] as string | undefined); // comes once
      response.writeHead(409, { "Content-Type": "application/problem+json" });
      response.end('{"code":"REQUEST_KEY_UNKNOWN"}');
    });
    const entries: LoadEntry[] = [];

    await runLoad({
      ...{ url: await listen(server), requests: 3, method: "POST", withKeys: true },
      onEnd: (entry) => entries.push(entry),
    });

    assert.equal(keys.size, 3);
    assert.ok([...keys].every(([id, key]) => id === key));
    assert.deepEqual(
      entries.map(({ method, outcome, problem }) => [method, outcome, problem]),
      Array(3).fill(["POST with key", "refused", "REQUEST_KEY_UNKNOWN"]),
    );
  });
});
