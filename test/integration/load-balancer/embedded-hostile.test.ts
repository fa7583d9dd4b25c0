import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { poll } from "../../../src/lib/wait.ts";
import {
  ask,
  readUntil,
  type Rig,
  sendRaw,
  startRig,
  startServer,
  type TestServer,
} from "./embedded-rig.ts";

const host = "Host: shop.example\r\n";
const chunked = "Transfer-Encoding: chunked\r\n";
const last = "0\r\n\r\n";
/** A request behind the hostile one: it must never reach a server. */
const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;

/** What is sent, and the status that refuses it. */
const refused: Readonly<Record<string, readonly [request: string, status: number]>> = {
  "HTTP/1.1 without Host": ["GET / HTTP/1.1\r\n\r\n", 400],
  "two Hosts": [`GET / HTTP/1.1\r\n${host}Host: other.example\r\n\r\n`, 400],
  "the same Host twice": [`GET / HTTP/1.1\r\n${host}${host}\r\n`, 400],
  "a Host with a path": ["GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400],
  "a Host that names a user": ["GET / HTTP/1.1\r\nHost: user@shop.example\r\n\r\n", 400],
  "Content-Length before Transfer-Encoding": [
    `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\n${chunked}\r\n${last}`,
    400,
  ],
  "Transfer-Encoding before Content-Length": [
    `POST / HTTP/1.1\r\n${host}${chunked}Content-Length: 5\r\n\r\n${last}`,
    400,
  ],
  "two lengths": [
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    400,
  ],
  "the same length twice": [
    `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
    400,
  ],
  "a list of lengths": [`POST / HTTP/1.1\r\n${host}Content-Length: 3, 3\r\n\r\nabc`, 400],
  "a signed length": [`POST / HTTP/1.1\r\n${host}Content-Length: +3\r\n\r\nabc`, 400],
  "a negative length": [`POST / HTTP/1.1\r\n${host}Content-Length: -3\r\n\r\nabc`, 400],
  "a length in hexadecimal": [`POST / HTTP/1.1\r\n${host}Content-Length: 0x3\r\n\r\nabc`, 400],
  "a length beyond all numbers": [
    `POST / HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\nabc`,
    400,
  ],
  "a transfer coding that is not chunked": [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n${last}`,
    400,
  ],
  "identity as transfer coding": [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: identity\r\n\r\n${last}`,
    400,
  ],
  "a transfer coding that only looks like chunked": [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n${last}`,
    400,
  ],
  "chunked twice": [`POST / HTTP/1.1\r\n${host}${chunked}${chunked}\r\n${last}`, 400],
  "chunked, chunked": [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, chunked\r\n\r\n${last}`,
    400,
  ],
  "chunks in HTTP/1.0": [`POST / HTTP/1.0\r\n${host}${chunked}\r\n${last}`, 400],
  "a tab after the coding's name": [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\x0b\r\n\r\n${last}`,
    400,
  ],
  "a chunk size that is no number": [`POST / HTTP/1.1\r\n${host}${chunked}\r\nzz\r\n${last}`, 400],
  "a chunk size too long": [
    `POST / HTTP/1.1\r\n${host}${chunked}\r\n${"f".repeat(20)}\r\nabc\r\n${last}`,
    400,
  ],
  "a chunk longer than its size": [
    `POST / HTTP/1.1\r\n${host}${chunked}\r\n3\r\nabcdef\r\n${last}`,
    400,
  ],
  "chunks that end in a bare LF": [`POST / HTTP/1.1\r\n${host}${chunked}\r\n3\nabc\n0\n\n`, 400],
  "a blank before the colon": [`GET / HTTP/1.1\r\n${host}Content-Length : 0\r\n\r\n`, 400],
  "a folded field": [`GET / HTTP/1.1\r\n${host}X-A: b\r\n c\r\n\r\n`, 400],
  "a field without a name": [`GET / HTTP/1.1\r\n${host}: b\r\n\r\n`, 400],
  "a bare LF": ["GET / HTTP/1.1\nHost: a\n\n", 400],
  "a bare CR": ["GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400],
  "a NUL in a field": [`GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, 400],
  "a method that is none": [`G@T / HTTP/1.1\r\n${host}\r\n`, 400],
  "a target with a blank": [`GET /a b HTTP/1.1\r\n${host}\r\n`, 400],
  "a target with a fragment": [`GET /a#b HTTP/1.1\r\n${host}\r\n`, 400],
  "a target with bytes beyond ASCII": [`GET /\xe9 HTTP/1.1\r\n${host}\r\n`, 400],
  "a target for another host": [`GET http://other.example/ HTTP/1.1\r\n${host}\r\n`, 400],
  "a target of another scheme": [`GET ftp://shop.example/ HTTP/1.1\r\n${host}\r\n`, 400],
  "a star that is not of OPTIONS": [`GET * HTTP/1.1\r\n${host}\r\n`, 400],
  "HTTP/0.9": ["GET /\r\n\r\n", 400],
  "HTTP/1.2": [`GET / HTTP/1.2\r\n${host}\r\n`, 400],
  "the preface of HTTP/2": ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  "CONNECT": [`CONNECT other.example:80 HTTP/1.1\r\n${host}\r\n`, 405],
  "TRACE": [`TRACE / HTTP/1.1\r\n${host}\r\n`, 405],
  "an upgrade with a body": [
    `POST / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc`,
    400,
  ],
  "a head of 20 KiB": [`GET / HTTP/1.1\r\n${host}X: ${"a".repeat(20_000)}\r\n\r\n`, 431],
  "a target of 20 KiB": [`GET /${"a".repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431],
  "200 fields": [`GET / HTTP/1.1\r\n${host}${"X: a\r\n".repeat(200)}\r\n`, 431],
};

describe("The embedded balancer, asked by a hostile client,", () => {
  let server: TestServer;
  let rig: Rig;

  before(async () => {
    server = await startServer("one", (request, response) => {
      let body = "";
      request.on("data", (chunk) => body += chunk);
      request.on("end", () => response.end(JSON.stringify([request.url, body])));
    });
    rig = await startRig([server]);
  });

  after(async () => {
    await rig[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  for (const [name, [request, status]] of Object.entries(refused)) {
    it(`refuses ${name} and lets nothing behind it through`, async () => {
      const answer = await sendRaw(rig.port, request + smuggled);

      assert.equal(answer.match(/HTTP\/1\.1 \d{3}/g)?.length, 1, answer);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(answer, /content-type: application\/problem\+json/i);
      assert.match(answer, /connection: close/i);
      assert.ok(server.requests.every(({ url }) => url !== "/smuggled"));
    });
  }

  it("serves what is unusual but clear", async () => {
    const close = "Connection: close\r\n";
    const unusual: Record<string, [request: string, wanted: RegExp]> = {
      "absolute form": [
        `GET http://SHOP.example/a?b HTTP/1.1\r\n${host}${close}\r\n`,
        /\["\/a\?b",""\]/,
      ],
      "absolute form without path": [
        `GET http://shop.example?b HTTP/1.1\r\n${host}${close}\r\n`,
        /\["\/\?b",""\]/,
      ],
      "HTTP/1.0 without Host": ["GET /old HTTP/1.0\r\n\r\n", /\["\/old",""\]/],
      "chunk extensions": [
        `POST / HTTP/1.1\r\n${host}${close}${chunked}\r\n3;a=b\r\nabc\r\n${last}`,
        /\["\/","abc"\]/,
      ],
      "trailers": [
        `POST / HTTP/1.1\r\n${host}${close}${chunked}\r\n3\r\nabc\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`,
        /\["\/","abc"\]/,
      ],
      "Expect: 100-continue": [
        `POST / HTTP/1.1\r\n${host}${close}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
        /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 [^]*\["\/","abc"\]/,
      ],
      "a DELETE in chunks": [
        `DELETE / HTTP/1.1\r\n${host}${close}${chunked}\r\n3\r\nabc\r\n${last}`,
        /\["\/","abc"\]/,
      ],
      "OPTIONS *": [`OPTIONS * HTTP/1.1\r\n${host}${close}\r\n`, /\["\*",""\]/],
    };
    for (const [name, [request, wanted]] of Object.entries(unusual)) {
      assert.match(await sendRaw(rig.port, request), wanted, name);
    }
  });

  it("cuts a chunked body off where it stops being one, and sends no end of it", async () => {
    const before = server.requests.length;

    const answer = await sendRaw(
      rig.port,
      `POST / HTTP/1.1\r\n${host}${chunked}\r\n3\r\nabc\r\nzz\r\n${smuggled}`,
    );

    assert.match(answer, /^HTTP\/1\.1 400 |^$/);
    assert.ok(server.requests.slice(before).every(({ url, complete }) => url === "/" && !complete));
  });

  it("answers what came before the bytes that are no request, then ends", async () => {
    const good = (path: string) => `GET ${path} HTTP/1.1\r\n${host}\r\n`;

    const answer = await sendRaw(rig.port, `${good("/before")}\0\r\n\r\n${smuggled}`);

    assert.equal(answer.match(/HTTP\/1\.1 200/g)?.length, 1);
    assert.match(answer, /\["\/before",""\]$/);
    assert.ok(server.requests.every(({ url }) => url !== "/smuggled"));
  });

  it("does not wait for ever for a client to close its side", async () => {
    for (const request of [refused["a bare LF"]![0], refused["CONNECT"]![0]]) {
      const socket = connect({ port: rig.port, host: "127.0.0.1", allowHalfOpen: true });
      const before = (await rig.engine.status()).sessionsCurrent;
      socket.on("error", () => {}).resume();
      socket.write(request);

      await once(socket, "end");
      const gone = await poll(async () => {
        return (await rig.engine.status()).sessionsCurrent <= before || undefined;
      }, { timeoutMs: 20_000 });
      socket.destroy();

      assert.ok(gone, "the connection is still held");
    }
  });

  it("goes on serving others", async () => {
    assert.equal((await ask(rig.port, { path: "/fine" })).body, '["/fine",""]');
  });
});

describe("The embedded balancer loses patience", () => {
  it("with 408 when a head does not arrive in time, however it trickles", async () => {
    await using rig = await startRig([], { timeouts: { headersMs: 200 } });
    for (const start of ["", "GET / HTTP/1.1\r\nHost: a\r\n"]) {
      const socket = connect(rig.port, "127.0.0.1");
      socket.on("error", () => {});
      let received = "";
      socket.on("data", (data) => received += String(data));
      const trickle = setInterval(() => start !== "" && socket.write("X: a\r\n"), 20);
      socket.write(start);

      await once(socket, "close");
      clearInterval(trickle);

      assert.match(received, /^HTTP\/1\.1 408 [^]*"status":408/);
    }
  });

  it("with 408 when a body stops in the middle, and tells the server", async () => {
    let ended = () => {};
    const end = new Promise<void>((resolve) => ended = resolve);
    await using one = await startServer("one", (request) => void request.once("close", ended));
    await using rig = await startRig([one], { timeouts: { clientMs: 150 } });

    const answer = await sendRaw(
      rig.port,
      `POST / HTTP/1.1\r\n${host}Content-Length: 30\r\n\r\nabc`,
    );
    await end;

    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.equal(one.requests[0]!.complete, false);
  });

  it("with idle connections after a while", async () => {
    await using one = await startServer("one");
    await using rig = await startRig([one], { timeouts: { keepAliveMs: 100 } });
    const socket = connect(rig.port, "127.0.0.1");

    socket.write(`GET / HTTP/1.1\r\n${host}\r\n`);
    const [, closed] = await Promise.all([readUntil(socket, /one$/), once(socket, "close")]);

    assert.deepEqual(closed, [false]);
  });

  it("with a client that does not read its answer, and ends the server's work for it", async () => {
    let ended = () => {};
    const end = new Promise<void>((resolve) => ended = resolve);
    await using one = await startServer("one", (_request, response) => {
      response.once("close", ended);
      response.end("x".repeat(32 * 1024 * 1024));
    });
    await using rig = await startRig([one], { timeouts: { clientMs: 200 } });
    const socket = connect(rig.port, "127.0.0.1");
    socket.on("error", () => {}).pause();

    socket.write(`GET / HTTP/1.1\r\n${host}\r\n`);
    await end;
    socket.destroy();

    assert.equal(one.requests.length, 1);
  });
});

describe("The embedded balancer at its limit of connections", () => {
  it("answers 503 to those beyond, and serves again when one has gone", async () => {
    await using one = await startServer("one");
    await using rig = await startRig([one], { maxConnections: 2 });
    const held = [1, 2].map(() => connect(rig.port, "127.0.0.1"));
    await Promise.all(held.map((socket) => once(socket, "connect")));

    const refused = await ask(rig.port);
    held[0]!.destroy();
    let served = await ask(rig.port);
    // The balancer learns of the end of a connection a moment after its client.
    for (let i = 0; i < 50 && served.status === 503; i++) served = await ask(rig.port);
    held[1]!.destroy();

    assert.equal(refused.status, 503);
    assert.match(JSON.parse(refused.body).detail, /limit of connections/);
    assert.equal(served.status, 200);
  });
});
