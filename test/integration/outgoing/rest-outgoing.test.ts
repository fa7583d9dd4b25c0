import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import { z } from "zod";
import { bodyOf, sendJson, startPeer } from "./http-peer.ts";
import { call, openRest, refusal } from "./open-rest.ts";

/** A connection that repeats at once, and never opens its circuit breaker. */
const quick = { retries: { firstMs: 1, maxMs: 2 }, breaker: "none" } as const;

describe("A RestOutgoing", () => {
  it("speaks JSON, fills in the path and query, and says on whose behalf it calls", async () => {
    let headers: IncomingMessage["headers"] = {};
    await using peer = await startPeer(async (request, response) => {
      ({ headers } = request);
      sendJson(response, { got: JSON.parse(await bodyOf(request)) }, 201);
    });
    await using crm = await openRest({
      address: `${peer.url}/base/`,
      path: "/v2",
      headers: { "X-Tenant": "acme" },
    });
    const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const rest = crm.outgoing.client(call({ remainingMs: 2_000, traceparent: trace }));

    const reply = await rest.post("/customers/{id}", { name: "Ana" }, {
      params: { id: "a/b ?#ü" },
      query: { tag: ["x", "y&z"], page: 2, left: undefined },
      schema: z.object({ got: z.object({ name: z.string() }) }),
    });

    assert.deepEqual([reply.status, reply.data], [201, { got: { name: "Ana" } }]);
    assert.deepEqual(peer.requests, [
      "POST /base/v2/customers/a%2Fb%20%3F%23%C3%BC?tag=x&tag=y%26z&page=2",
    ]);
    assert.equal(headers["x-tenant"], "acme");
    assert.equal(headers["content-type"], "application/json");
    assert.equal(headers["x-dragoman-cid"], "cid-1");
    const timeoutMs = Number(headers["x-dragoman-timeout-ms"]);
    assert.ok(timeoutMs > 0 && timeoutMs <= 2_000, `${timeoutMs}`);
    assert.match(
      String(headers["traceparent"]),
      /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
    );
  });

  it("keeps one connection for calls one after the other, and no more than poolSize", async () => {
    let waiting: (() => void)[] = [];
    await using peer = await startPeer((request, response) => {
      const answer = () => sendJson(response, {});
      if (request.url === "/wait") waiting.push(answer);
      else answer();
    });
    await using crm = await openRest({ address: peer.url, poolSize: 3 });

    for (let count = 0; count < 50; count++) await crm.rest.get("/");
    assert.equal(peer.connections, 1);
    assert.equal(crm.outgoing.status().figures["connections"], 1);

    const calls = Array.from({ length: 9 }, () => crm.rest.get("/wait"));
    for (let round = 0; round < 3; round++) {
      await poll(() => waiting.length === 3 || undefined, { timeoutMs: 5_000, intervalMs: 2 });
      assert.equal(waiting.length, 3);
      const answers = waiting;
      waiting = [];
      for (const answer of answers) answer();
    }
    await Promise.all(calls);
    assert.equal(peer.connectionsMax, 3);
  });

  it("closes a connection that nobody uses", async () => {
    let closed = 0;
    await using peer = await startPeer((request, response) => {
      request.socket.once("close", () => closed++);
      // A peer that is slow to answer is no connection that nobody uses.
      setTimeout(() => sendJson(response, {}), 80);
    });
    await using crm = await openRest({ address: peer.url, idleMs: 20 });

    await crm.rest.get();

    assert.ok(await poll(() => closed === 1 || undefined, { timeoutMs: 5_000 }));
  });

  it("gives back what came: text, bytes, nothing, and what it is asked for", async () => {
    await using peer = await startPeer((request, response) => {
      const { url } = request;
      if (url === "/none") return void response.writeHead(204).end();
      const type = url === "/text" ? "text/plain" : "application/octet-stream";
      response.writeHead(200, { "content-type": type }).end("[1]");
    });
    await using crm = await openRest({ address: peer.url });
    const { rest } = crm;

    assert.equal((await rest.get("/none")).data, undefined);
    assert.equal((await rest.head("/text")).data, undefined);
    assert.equal((await rest.get("/text")).data, "[1]");
    assert.deepEqual((await rest.get("/bytes")).data, Buffer.from("[1]"));
    assert.deepEqual((await rest.get("/bytes", { as: "json" })).data, [1]);
  });

  it("refuses an answer that does not match the schema, is no JSON, or is too large", async () => {
    await using peer = await startPeer((request, response) => {
      const isZip = request.url === "/zip";
      response.writeHead(200, {
        "content-type": "application/json",
        ...(isZip ? { "content-encoding": "gzip" } : {}),
      });
      response.end(isZip ? gzipSync(Buffer.alloc(5_000_000)) : '{"secret-looking":tru');
    });
    await using crm = await openRest({ address: peer.url, responseBytesMax: 100_000 });
    await using other = await startPeer((_, response) => sendJson(response, { id: "x" }));
    await using typed = await openRest({ address: other.url });

    const invalid = await refusal(crm.rest.get());
    assert.equal(invalid.code, "OUTGOING_REPLY_INVALID");
    assert.doesNotMatch(invalid.message, /secret-looking/);
    assert.equal((await refusal(crm.rest.get("/zip"))).code, "OUTGOING_REPLY_SIZE");
    const mismatch = await refusal(typed.rest.get("", { schema: z.object({ id: z.int() }) }));
    assert.equal(mismatch.code, "OUTGOING_REPLY_INVALID");
    assert.match(mismatch.message, /\/id/);
    assert.equal(mismatch.status, 502);
  });

  it("rejects with a status of 400 and above, unless that is accepted", async () => {
    await using peer = await startPeer((request, response) => {
      if (request.url === "/long") response.writeHead(400).end("x".repeat(100_000));
      else sendJson(response, { title: "no such customer" }, 404);
    });
    await using crm = await openRest({ address: peer.url });

    const error = await refusal(crm.rest.get("/customers/{id}", { params: { id: "secret" } }));
    assert.equal(error.code, "OUTGOING_STATUS");
    assert.equal(error.message, 'RestOutgoing "CRM" answered 404 to GET /customers/{id}');
    assert.deepEqual(error.details, { status: 404, data: { title: "no such customer" } });
    const long = await refusal(crm.rest.get("/long"));
    assert.ok(JSON.stringify(long.details).length < 3_000);
    const accepted = await crm.rest.get("/x", { accept: [404] });
    assert.deepEqual([accepted.status, accepted.data], [404, { title: "no such customer" }]);
  });

  it("streams 60 MB up and down, as fast as the slower side reads", async () => {
    await using peer = await startPeer((request, response) => {
      response.writeHead(200, { "content-type": "application/octet-stream" });
      request.pipe(response);
    });
    await using crm = await openRest({ address: peer.url, responseBytesMax: 1_000 });
    const chunk = new Uint8Array(100_000).map((_, index) => index % 251);
    let given = 0;
    let taken = 0;
    let ahead = 0;
    const sentHash = createHash("sha256");
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (given === 60_000_000) return controller.close();
        given += chunk.length;
        sentHash.update(chunk);
        controller.enqueue(chunk.slice());
      },
    });

    const { data } = await crm.rest.post<ReadableStream<Uint8Array>>("/", body, { as: "stream" });
    const hash = createHash("sha256");
    for await (const part of data) {
      taken += part.length;
      ahead = Math.max(ahead, given - taken);
      hash.update(part);
    }

    assert.equal(taken, 60_000_000);
    assert.equal(hash.digest("hex"), sentHash.digest("hex"));
    // What both sides' sockets and streams hold.
    assert.ok(ahead < 20_000_000, `${ahead} bytes were read ahead`);
  });

  it("ends a stream, and the request behind it, when the call ends", async () => {
    const closed = Promise.withResolvers<void>();
    await using peer = await startPeer((request, response) => {
      request.socket.once("close", () => closed.resolve());
      response.writeHead(200, { "content-type": "application/octet-stream" });
      response.write("begin");
    });
    await using crm = await openRest({ address: peer.url });
    const abort = new AbortController();
    const rest = crm.outgoing.client(call({ signal: abort.signal }));
    const { data } = await rest.get<ReadableStream<Uint8Array>>("/", { as: "stream" });
    const reader = data.getReader();
    await reader.read();

    abort.abort(new Error("the client has gone"));

    await assert.rejects(reader.read());
    await closed.promise;
  });

  it("calls nobody when the path leads elsewhere", async () => {
    await using peer = await startPeer((_, response) => sendJson(response, {}));
    await using crm = await openRest({ address: peer.url, path: "/v1" });
    const hostile = [
      ...["", ".", "..", "../x", "..\\x", "%2e%2e", "a/../..", "/", "//", "?", "#", "\n", "\0"],
      ...["x?admin=1", "x#y", "http://127.0.0.2/", "@127.0.0.2", "\u2025", "%00", "{id}", "a b"],
    ];
    for (const value of hostile) {
      await crm.rest.get("/customers/{id}/orders", { params: { id: value } }).catch((error) =>
        assert.ok(isPlatformError(error, "OUTGOING_REQUEST"), String(error))
      );
      await crm.rest.get(`/${value}/orders`).catch((error) =>
        assert.ok(isPlatformError(error, "OUTGOING_REQUEST"), String(error))
      );
    }
    const byValue = peer.requests.filter((line) => line.includes("/customers/"));
    for (const line of byValue) assert.match(line, /^GET \/v1\/customers\/[^/?#]+\/orders$/);
    for (const line of peer.requests) {
      assert.match(line, /^GET \/v1\//);
      const path = new URL(line.slice(4), "http://x").pathname;
      assert.ok(path.startsWith("/v1/") && path.endsWith("/orders"), line);
    }
    for (
      const [path, options] of [
        ["customers", {}],
        ["/x/{id}", {}],
        ["/x", { params: { id: 1 } }],
        ["/x", { headers: { "x-a": "line\r\nx-b: 1" } }],
      ] as const
    ) {
      assert.equal((await refusal(crm.rest.get(path, options))).code, "OUTGOING_REQUEST");
    }
  });

  it("sends forms, text and bytes as what they are", async () => {
    await using peer = await startPeer(async (request, response) => {
      sendJson(response, [request.headers["content-type"], await bodyOf(request)]);
    });
    await using crm = await openRest({ address: peer.url });
    await using forms = await openRest({ address: peer.url, format: "form" });
    const sent = async (body: unknown, headers = {}, rest = crm.rest) =>
      (await rest.post("/", body, { headers })).data;
    const form = "application/x-www-form-urlencoded";

    assert.deepEqual(await sent("x"), ["application/json", '"x"']);
    assert.deepEqual(await sent("x", { "Content-Type": "text/csv" }), ["text/csv", "x"]);
    assert.deepEqual(await sent(new Uint8Array([65])), ["application/octet-stream", "A"]);
    assert.deepEqual(await sent(new URLSearchParams({ a: "1 2" })), [form, "a=1+2"]);
    assert.deepEqual(await sent({ a: ["1", "2"], b: 3 }, {}, forms.rest), [form, "a=1&a=2&b=3"]);
    assert.deepEqual(await sent(undefined), [null, ""]);
    const multipart = new FormData();
    multipart.set("file", new Blob(["abc"]), "a.txt");
    const [type, text] = await sent(multipart) as string[];
    assert.match(type!, /^multipart\/form-data; ?boundary=/);
    assert.match(text!, /filename="a.txt"[\s\S]*abc/);
    assert.equal((await refusal(crm.rest.post("/", 1n))).code, "OUTGOING_REQUEST");
  });
});

describe("A RestOutgoing with several addresses", () => {
  it("uses the first that can be reached, whatever the method, and lets the other rest", async () => {
    const port = await findFreePort();
    await using works = await startPeer((_, response) => sendJson(response, {}));
    await using crm = await openRest({
      address: [`http://127.0.0.1:${port}`, works.url],
      retries: { attempts: 1 },
    });

    for (let count = 0; count < 10; count++) await crm.rest.post("/", {});

    assert.equal(works.requests.length, 10);
    const { figures } = crm.outgoing.status();
    assert.deepEqual([figures["failovers"], figures["failures"], figures["retries"]], [1, 0, 0]);
    const { detail } = await crm.outgoing.ping(new AbortController().signal);
    assert.match(detail, new RegExp(`127.0.0.1:${port}: connection refused; HTTP 200 from`));
  });

  it("takes turns when it is told to", async () => {
    const answer = (_: unknown, response: Parameters<typeof sendJson>[0]) => sendJson(response, {});
    await using one = await startPeer(answer);
    await using two = await startPeer(answer);
    await using crm = await openRest({ address: [one.url, two.url], balance: "round-robin" });

    for (let count = 0; count < 10; count++) await crm.rest.get();

    assert.deepEqual([one.requests.length, two.requests.length], [5, 5]);
  });

  it("repeats at another address what one answered with 503", async () => {
    await using busy = await startPeer((_, response) => void response.writeHead(503).end());
    await using works = await startPeer((_, response) => sendJson(response, { from: "works" }));
    await using crm = await openRest({ address: [busy.url, works.url], ...quick });

    assert.deepEqual((await crm.rest.get()).data, { from: "works" });
    assert.deepEqual([busy.requests.length, works.requests.length], [1, 1]);
  });
});

describe("Pinging a RestOutgoing", () => {
  it("says what the other side answered, or what is wrong", async () => {
    let status = 404;
    await using peer = await startPeer((_, response) => void response.writeHead(status).end());
    await using crm = await openRest({
      address: peer.url,
      ping: { method: "GET", path: "/health" },
      breaker: { callsMin: 1 },
    });
    const { signal } = new AbortController();

    const { detail, durationMs } = await crm.outgoing.ping(signal);
    assert.equal(detail, `HTTP 404 from ${peer.url}`);
    assert.ok(durationMs > 0);
    for (status of [401, 403, 500, 503]) {
      const error = await refusal(crm.outgoing.ping(signal));
      assert.equal(error.message, `RestOutgoing "CRM" answered ${status} to GET /health`);
    }
    assert.deepEqual(new Set(peer.requests), new Set(["GET /health"]));
    assert.equal(crm.outgoing.status().state, "ready");
  });
});
