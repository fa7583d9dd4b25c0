import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { HttpBackend } from "../../peers/http-backend.ts";
import { RawConnection, renderRequest, request } from "./haproxy-client.ts";
import { HaproxySetup } from "./haproxy-setup.ts";

describe("HAProxy passes traffic", () => {
  let setup: HaproxySetup;
  let port: number;
  let backends: HttpBackend[];

  before(async () => {
    setup = await HaproxySetup.open({ timeouts: { headersMs: 300, serverMs: 1_000 }, retries: 1 });
    port = setup.port;
    backends = await setup.backends("a", "b");
    await setup.start(backends);
  });
  after(() => setup[Symbol.asyncDispose]());

  it("spreads the requests of one kept-alive connection over both servers", async () => {
    const connection = await RawConnection.open(port);
    const servers: string[] = [];
    for (let n = 0; n < 10; n++) {
      connection.write(renderRequest());
      servers.push(JSON.parse((await connection.readResponse()).body).server);
    }
    connection.close();

    assert.equal(servers.filter((server) => server === "a").length, 5);
    assert.equal(servers.filter((server) => server === "b").length, 5);
  });

  it("answers pipelined requests in order", async () => {
    const connection = await RawConnection.open(port);
    const paths = ["/1", "/2?ms=30", "/3", "/4"];
    connection.write(paths.map((path) => renderRequest({ path })).join(""));
    const urls: string[] = [];
    for (const _ of paths) urls.push(JSON.parse((await connection.readResponse()).body).url);
    connection.close();

    assert.deepEqual(urls, paths);
  });

  it("keeps its connections to the servers", async () => {
    const connection = await RawConnection.open(port);
    const connectionHeaders: unknown[] = [];
    for (let n = 0; n < 4; n++) {
      connection.write(renderRequest());
      const { headers } = JSON.parse((await connection.readResponse()).body);
      connectionHeaders.push(headers.connection);
    }
    connection.close();

    assert.ok(connectionHeaders.every((value) => value !== "close"), String(connectionHeaders));
  });

  it("replaces what a client says of its own address", async () => {
    const forged = {
      "X-Forwarded-For": "6.6.6.6",
      "x-forwarded-proto": "https",
      "X-Forwarded-Host": "evil.example",
      "X-Forwarded-Port": "1",
      "X-Forwarded-Prefix": "/evil",
      "X-Real-IP": "6.6.6.6",
      "Forwarded": "for=6.6.6.6",
      "Client-Cert": ":AAAA:",
      "client-cert-chain": ":AAAA:",
      "X-Dragoman-Cid": "abc-123",
    };

    const { headers } = JSON.parse((await request(port, { headers: forged })).body);

    assert.equal(headers["x-forwarded-for"], "127.0.0.1");
    assert.equal(headers["x-forwarded-proto"], "http");
    assert.equal(headers["x-forwarded-host"], "client.example");
    assert.equal(headers["x-dragoman-cid"], "abc-123");
    const forbidden = ["x-forwarded-port", "x-forwarded-prefix", "x-real-ip", "forwarded"];
    for (const gone of [...forbidden, "client-cert", "client-cert-chain"]) {
      assert.equal(headers[gone], undefined, gone);
    }
  });

  it("passes WebSockets through, and no other change of protocol", async () => {
    const connection = await RawConnection.open(port);
    connection.write(
      renderRequest({
        headers: {
          Connection: "Upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": "AQIDBAUGBwgJCgsMDQ4PEA==",
        },
      }),
    );
    assert.match(await connection.readUntil("\r\n\r\n"), /^HTTP\/1\.1 101 /);
    connection.write("hello over there");
    assert.equal(await connection.readUntil("there"), "hello over there");
    connection.close();

    const h2c = await request(port, {
      headers: { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AA" },
    });
    assert.equal(h2c.status, 200);
    assert.equal(JSON.parse(h2c.body).headers.upgrade, undefined);
  });

  it("streams: the first part arrives while the server has not finished", async () => {
    const connection = await RawConnection.open(port);
    connection.write(renderRequest({ path: "/stream" }));
    assert.match(await connection.readUntil("first\n"), /200 OK/);
    // The stream may be on either server.
    for (const backend of backends) {
      await (await fetch(`http://127.0.0.1:${backend.port}/stream/release`)).text();
    }
    assert.match(await connection.readUntil("last\n"), /last/);
    connection.close();
  });

  it("passes a body larger than its buffers", async () => {
    const { status, body } = await request(port, { method: "POST", body: "x".repeat(300_000) });

    assert.equal(status, 200);
    assert.equal(JSON.parse(body).bodyBytes, 300_000);
  });

  it("answers for itself while it lives", async () => {
    assert.equal((await request(port, { path: "/dragoman/balancer" })).status, 200);
  });

  const refused: readonly [what: string, bytes: string, status: number, title: string][] = [
    ["HTTP/1.1 without Host", "GET / HTTP/1.1\r\n\r\n", 400, "Bad Request"],
    ["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405, "Method Not Allowed"],
    ["TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "Method Not Allowed"],
    [
      "a server that breaks off",
      renderRequest({ method: "POST", path: "/cut" }),
      502,
      "Bad Gateway",
    ],
    ["a slow server", renderRequest({ method: "POST", path: "/?ms=3000" }), 504, "Gateway Timeout"],
  ];
  for (const [what, bytes, status, title] of refused) {
    it(`answers ${what} with ${status} as problem details`, async () => {
      const connection = await RawConnection.open(port);
      connection.write(bytes);
      const response = await connection.readResponse();
      connection.close();

      assert.equal(response.status, status);
      assert.equal(response.headers.get("content-type"), "application/problem+json");
      const problem = JSON.parse(response.body);
      assert.deepEqual({ ...problem, detail: typeof problem.detail }, {
        type: "about:blank",
        title,
        status,
        detail: "string",
      });
    });
  }

  const malformed: readonly [what: string, bytes: string, status: number][] = [
    ["two Host headers", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
    [
      "two lengths",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
      400,
    ],
    ["a space before a colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400],
    ["a head that never ends", "GET / HTTP/1.1\r\nHost: a\r\n", 408],
  ];
  for (const [what, bytes, status] of malformed) {
    it(`refuses ${what} with ${status}`, async () => {
      const connection = await RawConnection.open(port);
      connection.write(bytes);
      const response = await connection.readResponse();
      connection.close();

      assert.equal(response.status, status);
    });
  }
});

describe("HAProxy without a server", () => {
  it("answers 503 as problem details, and says when to try again", async () => {
    await using setup = await HaproxySetup.open();
    await setup.start([]);

    const response = await request(setup.port);

    assert.equal(response.status, 503);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal(response.headers.get("retry-after"), "1");
    assert.deepEqual(JSON.parse(response.body), {
      type: "about:blank",
      title: "Service Unavailable",
      status: 503,
      detail: "No server is available to handle the request",
    });
  });
});
