import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { poll } from "../../../src/lib/wait.ts";
import { runLoad } from "../../../src/rehearsal/load/ledger.ts";
import { ask, begin, listen, readUntil, startRig, startServer } from "./embedded-rig.ts";

describe("The embedded balancer", () => {
  it("gives each server the same share of one client's kept connection", async () => {
    await using one = await startServer("one");
    await using two = await startServer("two");
    await using three = await startServer("three");
    await using rig = await startRig([one, two, three]);

    const report = await runLoad({ url: rig.url, requests: 90, concurrency: 1 });

    assert.deepEqual(report.failed, []);
    assert.deepEqual(Object.fromEntries(report.byServer), { one: 30, two: 30, three: 30 });
  });

  it("reuses its connections to the servers", async () => {
    await using one = await startServer("one");
    await using rig = await startRig([one]);

    const report = await runLoad({ url: rig.url, requests: 200, concurrency: 4 });

    assert.equal(report.ok, 200);
    assert.ok(one.connections.size <= 4, `${one.connections.size} connections for 4 clients`);
  });

  it("answers pipelined requests in their order", async () => {
    await using one = await startServer("one", (request, response) => response.end(request.url));
    await using two = await startServer("two", (request, response) => response.end(request.url));
    await using rig = await startRig([one, two]);
    const socket = connect(rig.port, "127.0.0.1");

    socket.write([1, 2, 3, 4].map((n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
    const answers = await readUntil(socket, /\/4$/);
    socket.destroy();

    assert.deepEqual(answers.match(/\/\d$|\/\d(?=HTTP)/g), ["/1", "/2", "/3", "/4"]);
  });

  it("sends pipelined requests one after the other, however many there are", async () => {
    let running = 0;
    const order: string[] = [];
    await using one = await startServer("one", async (request, response) => {
      running += 1;
      assert.equal(running, 1);
      order.push(request.url ?? "");
      request.resume();
      await once(request, "end");
      running -= 1;
      response.end(request.url);
    });
    await using rig = await startRig([one]);
    const socket = connect(rig.port, "127.0.0.1");
    const targets = Array.from({ length: 200 }, (_, n) => `/${n}`);

    socket.write(
      targets.map((target) => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx`)
        .join(""),
    );
    const answers = await readUntil(socket, /\/199$/);
    socket.destroy();

    assert.deepEqual(order, targets);
    assert.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 200);
  });

  it("keeps the connection after answers without a body", async () => {
    await using one = await startServer("one", (request, response) => {
      const status = Number(request.url?.slice(1));
      response.writeHead(status, status === 200 ? { "Content-Length": 5 } : {});
      response.end(status === 200 ? "hello" : undefined);
    });
    await using rig = await startRig([one]);
    const socket = connect(rig.port, "127.0.0.1");
    const ask = (method: string, path: string) => {
      socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return readUntil(socket, method === "GET" && path === "/200" ? /hello$/ : /\r\n\r\n$/);
    };

    const answers = [
      await ask("HEAD", "/200"),
      await ask("GET", "/204"),
      await ask("GET", "/304"),
      await ask("GET", "/200"),
    ];
    socket.destroy();

    const statuses = answers.map((answer) => answer.match(/HTTP\/1\.1 (\d+)/g));
    assert.deepEqual(statuses.flat().map(String), [200, 204, 304, 200].map((n) => `HTTP/1.1 ${n}`));
    assert.match(answers[0]!, /content-length: 5/i);
  });

  it("passes on an answer that comes before the request is complete", async () => {
    await using one = await startServer("one", (_request, response) => {
      response.writeHead(413, { Connection: "close" }).end("too large");
    });
    await using rig = await startRig([one]);

    const { request, response } = await begin(rig.port, { method: "POST" }, (request) => {
      request.on("error", () => {});
      request.write("x".repeat(1_000_000));
    });
    const [body] = await once(response, "data");
    request.destroy();

    assert.deepEqual([response.statusCode, String(body)], [413, "too large"]);
  });

  it("passes on method, target, Host, fields, status and repeated fields as they are", async () => {
    await using one = await startServer("one", (request, response) => {
      response.writeHead(418, "Short and stout", ["Set-Cookie", "a=1", "Set-Cookie", "b=2"]);
      response.end(JSON.stringify([request.method, request.url, request.headers]));
    });
    await using rig = await startRig([one]);

    const answer = await ask(rig.port, {
      method: "DELETE",
      path: "/a%2Fb?x=1&x=2",
      headers: { Host: "shop.example:80", "X-Many": ["1", "2"] },
    });

    const [method, url, headers] = JSON.parse(answer.body);
    assert.equal(answer.status, 418);
    assert.deepEqual(answer.headers["set-cookie"], ["a=1", "b=2"]);
    assert.deepEqual([method, url], ["DELETE", "/a%2Fb?x=1&x=2"]);
    assert.equal(headers.host, "shop.example:80");
    assert.equal(headers["x-many"], "1, 2");
  });

  it("says itself who the client is, whatever the client claims", async () => {
    await using one = await startServer("one", (request, response) => {
      response.end(JSON.stringify(request.rawHeaders));
    });
    await using rig = await startRig([one]);

    const answer = await ask(rig.port, {
      headers: {
        Host: "shop.example",
        "X-Forwarded-For": "6.6.6.6",
        "x-forwarded-proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "443",
        Forwarded: "for=6.6.6.6",
        "Client-Cert": ":AAAA:",
        "client-cert-chain": ":AAAA:",
        Connection: "close, X-Forwarded-For, X-Forwarded-Host, X-Secret-Hop",
        "X-Secret-Hop": "1",
      },
    });

    const raw: string[] = JSON.parse(answer.body);
    const said = raw.flatMap((name, i) =>
      i % 2 === 0 && /forwarded|secret|client-cert/i.test(name) ? [`${name}: ${raw[i + 1]}`] : []
    );
    assert.deepEqual(said, [
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Host: shop.example",
    ]);
  });

  it("passes a response on before it is complete", async () => {
    let finish = () => {};
    await using one = await startServer("one", (_request, response) => {
      response.write("first");
      finish = () => response.end("last");
    });
    await using rig = await startRig([one]);

    const { response } = await begin(rig.port, {});
    const [first] = await once(response, "data");
    finish();
    const [last] = await once(response, "data");

    assert.deepEqual([String(first), String(last)], ["first", "last"]);
  });

  it("passes on the head of a response whose body has not begun", async () => {
    await using one = await startServer("one", (_request, response) => response.flushHeaders());
    await using rig = await startRig([one]);

    const { request, response } = await begin(rig.port, {});
    response.on("error", () => {});
    request.destroy();

    assert.equal(response.statusCode, 200);
  });

  it("passes a request on before it is complete", async () => {
    let arrived = (_chunk: string) => {};
    const first = new Promise<string>((resolve) => arrived = resolve);
    await using one = await startServer("one", (request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
        arrived(body);
      });
      request.on("end", () => response.end(body));
    });
    await using rig = await startRig([one]);

    const { response } = await begin(rig.port, { method: "POST" }, (request) => {
      request.write("first,");
      void first.then(() => request.end("last"));
    });
    const [body] = await once(response, "data");

    assert.equal(await first, "first,");
    assert.equal(String(body), "first,last");
  });

  it("carries large bodies both ways unchanged", async () => {
    await using one = await startServer("one", (request, response) => request.pipe(response));
    await using rig = await startRig([one]);
    const body = Array.from({ length: 400_000 }, (_, n) => n.toString(36)).join(",");

    for (const headers of [{ "Content-Length": body.length }, { "Transfer-Encoding": "chunked" }]) {
      const answer = await ask(rig.port, { method: "PUT", headers, body });
      assert.ok(answer.body === body, `${answer.body.length} of ${body.length} bytes came back`);
    }
  });

  it("takes no more from a server than the client takes", async () => {
    const size = 64 * 1024 * 1024;
    let sent = 0;
    await using one = await startServer("one", (_request, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = () => {
        while (sent < size && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return;
        }
        response.end();
      };
      response.on("drain", more);
      more();
    });
    await using rig = await startRig([one]);

    const { request, response } = await begin(rig.port, {});
    response.on("error", () => {});
    // The client does not read: what was sent comes to rest once every buffer on the way is full.
    let before = -1;
    await poll(() => sent === before || void (before = sent), {
      timeoutMs: 20_000,
      intervalMs: 100,
    });
    request.destroy();

    assert.ok(sent < size / 2, `${sent} bytes were taken from the server`);
  });

  it("answers for itself while no server is there", async () => {
    await using rig = await startRig([]);

    const alive = await ask(rig.port, { path: "/dragoman/balancer" });
    const refused = await ask(rig.port, { path: "/x" });

    assert.equal(alive.status, 200);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers["content-type"], "application/problem+json");
    assert.deepEqual(JSON.parse(refused.body), {
      type: "about:blank",
      title: "Service Unavailable",
      status: 503,
      detail: "No server is available to handle the request",
    });
  });

  it("names the port it cannot have and what to do", async () => {
    const other = createServer();
    const port = await listen(other);

    const error = await startRig([], { port }).then(() => undefined, (thrown) => thrown);
    other.close();

    assert.ok(isPlatformError(error, "BALANCER_PORT_IN_USE"));
    assert.match(error.message, new RegExp(`${port}.*127\\.0\\.0\\.1`));
    assert.match(error.advice ?? "", /http\.port/);
  });

  it("reports what it does", async () => {
    await using one = await startServer("one");
    await using rig = await startRig([one]);
    await ask(rig.port);

    const status = await rig.engine.status();

    assert.equal(status.requestsTotal, 1);
    const [server] = status.servers;
    assert.deepEqual({ ...server, since: "", requestRate: 0 }, {
      name: "one",
      address: `127.0.0.1:${one.port}`,
      state: "up",
      since: "",
      reason: "Layer7 check: 200",
      weight: 100,
      sessionsCurrent: 0,
      sessionsMax: 1,
      requestsTotal: 1,
      requestRate: 0,
      errorsTotal: 0,
    });
    assert.ok(Date.parse(server!.since) <= Date.now());
  });
});
