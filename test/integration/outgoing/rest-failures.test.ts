import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import { rawAnswer, sendJson, startPeer, startRawPeer } from "./http-peer.ts";
import { call, openRest, refusal } from "./open-rest.ts";

/** A connection that repeats at once, and never opens its circuit breaker. */
const quick = { retries: { firstMs: 1, maxMs: 2 }, breaker: "none" } as const;

describe("A RestOutgoing whose other side fails", () => {
  it("says that nobody listens, after as many attempts as it may make", async () => {
    const port = await findFreePort();
    await using crm = await openRest({ address: `http://127.0.0.1:${port}`, ...quick });

    const error = await refusal(crm.rest.post("/", {}));

    assert.equal(error.code, "OUTGOING_UNREACHABLE");
    assert.equal(error.status, 502);
    assert.match(error.message, new RegExp(`http://127.0.0.1:${port}: connection refused`));
    assert.deepEqual(error.details, { mayHaveRun: false });
    const { figures, lastError } = crm.outgoing.status();
    assert.deepEqual([figures["calls"], figures["failures"], figures["retries"]], [1, 1, 2]);
    assert.match(String(lastError), /connection refused/);
  });

  for (const how of ["closed", "reset"] as const) {
    it(`never sends a POST twice when a kept connection is ${how} after it was read`, async () => {
      await using peer = await startRawPeer((socket, { connection, request }) => {
        const isFirst = connection === 1 && request.includes("/first");
        if (isFirst || !request.includes("/break")) return void socket.write(rawAnswer("{}"));
        if (how === "reset") socket.resetAndDestroy();
        else socket.end();
      });
      await using crm = await openRest({ address: peer.url, ...quick });
      await crm.rest.post("/first", {});

      const error = await refusal(crm.rest.post("/break", { a: 1 }));

      assert.equal(error.code, "OUTGOING_UNREACHABLE");
      assert.deepEqual(error.details, { mayHaveRun: true });
      assert.deepEqual(peer.requests, ["POST /first", "POST /break"]);
      await refusal(crm.rest.get("/break"));
      assert.deepEqual(peer.requests.slice(2), ["GET /break", "GET /break", "GET /break"]);
      await refusal(crm.rest.post("/break", {}, { isIdempotent: true }));
      assert.equal(peer.requests.filter((line) => line === "POST /break").length, 4);
    });
  }

  it("repeats a GET whose answer broke off in the middle, and not a POST", async () => {
    let count = 0;
    await using peer = await startRawPeer((socket) => {
      if (++count % 2 === 0) return void socket.write(rawAnswer("[1]"));
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n[1",
      );
      setImmediate(() => socket.resetAndDestroy());
    });
    await using crm = await openRest({ address: peer.url, ...quick });

    assert.deepEqual((await crm.rest.get()).data, [1]);
    assert.equal((await refusal(crm.rest.post("/", {}))).code, "OUTGOING_UNREACHABLE");
    assert.deepEqual(peer.requests, ["GET /", "GET /", "POST /"]);
  });

  for (const what of ["head", "body"] as const) {
    it(`gives up when the ${what} of the answer does not come in time`, async () => {
      const gone = Promise.withResolvers<void>();
      await using peer = await startRawPeer((socket) => {
        socket.once("close", () => gone.resolve());
        if (what === "body") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1");
      });
      await using crm = await openRest({ address: peer.url, ...quick, timeoutMs: 60 });

      const error = await refusal(crm.rest.get());

      assert.deepEqual([error.code, error.status], ["OUTGOING_TIMEOUT", 504]);
      assert.match(error.message, /within 60 ms/);
      await gone.promise;
      assert.equal(peer.requests.length, 1);
    });
  }

  it("gives up when the deadline of its caller comes first, and does not begin after it", async () => {
    await using peer = await startRawPeer(() => {});
    await using crm = await openRest({ address: peer.url, ...quick });

    const late = await refusal(crm.outgoing.client(call({ remainingMs: 50 })).get());
    assert.equal(late.code, "OUTGOING_TIMEOUT");
    const dropped = await refusal(crm.outgoing.client(call({ remainingMs: 0 })).get());
    assert.deepEqual([dropped.code, dropped.status], ["OUTGOING_DEADLINE", 504]);
    const reason = new Error("the client hung up");
    const gone = crm.outgoing.client(call({ signal: AbortSignal.abort(reason) }));
    await assert.rejects(gone.get(), reason);
    assert.equal(peer.requests.length, 1);
    assert.equal(crm.outgoing.status().figures["dropped"], 2);
  });

  it("ends the request when its caller goes away", async () => {
    const arrived = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    await using peer = await startRawPeer((socket) => {
      socket.once("close", () => closed.resolve());
      arrived.resolve();
    });
    await using crm = await openRest({ address: peer.url });
    const abort = new AbortController();
    const calling = crm.outgoing.client(call({ signal: abort.signal })).post("/", {});
    await arrived.promise;

    const reason = new Error("the client hung up");
    abort.abort(reason);

    await assert.rejects(calling, reason);
    await closed.promise;
  });

  it("repeats what may be repeated after 429, 502, 503 and 504, as Retry-After says", async () => {
    const answers = [429, 502, 503, 504];
    let left = [...answers];
    await using peer = await startPeer((request, response) => {
      const status = request.url === "/late" ? 503 : left.shift() ?? 200;
      const wait = request.url === "/late" ? "30" : "0";
      response.writeHead(status, { "retry-after": wait }).end("busy");
    });
    await using crm = await openRest({
      address: peer.url,
      breaker: "none",
      retries: { attempts: 5, firstMs: 60_000, maxMs: 60_000 },
    });

    assert.equal((await crm.rest.get()).status, 200);
    assert.equal(peer.requests.length, 5);
    left = [...answers];
    const post = await refusal(crm.rest.post("/", {}));
    assert.deepEqual([post.code, post.details], ["OUTGOING_STATUS", {
      status: 429,
      data: "4 bytes",
    }]);
    assert.equal(peer.requests.length, 6);
    // Thirty seconds are more than the call has: the answer is given at once.
    assert.equal((await refusal(crm.rest.get("/late"))).code, "OUTGOING_STATUS");
    assert.equal(peer.requests.length, 7);
  });

  it("repeats no more than a fifth of its calls when all of them fail", async () => {
    await using peer = await startPeer((_, response) => void response.writeHead(503).end());
    await using crm = await openRest({
      address: peer.url,
      breaker: "none",
      retries: { attempts: 10, firstMs: 0, maxMs: 0 },
    });

    for (let count = 0; count < 100; count++) await refusal(crm.rest.get());

    // Ten that may come in a burst, and 20 % of a hundred.
    const repeated = peer.requests.length - 100;
    assert.ok(repeated >= 28 && repeated <= 30, `${repeated} were repeated`);
  });

  it("stops calling while it fails, and goes on when it works again", async () => {
    let status = 500;
    await using peer = await startPeer((_, response) => sendJson(response, {}, status));
    await using crm = await openRest({
      address: peer.url,
      breaker: { callsMin: 5, openMs: 200, windowMs: 60_000 },
    });

    for (let count = 0; count < 5; count++) await refusal(crm.rest.get());
    assert.equal(crm.outgoing.status().state, "open");
    const refused = await refusal(crm.rest.get());
    assert.deepEqual([refused.code, refused.status], ["OUTGOING_BREAKER_OPEN", 503]);
    assert.match(refused.message, /HTTP 500/);
    assert.ok(refused.retryAfterMs! > 0 && refused.retryAfterMs! <= 200);
    assert.equal(peer.requests.length, 5);

    status = 200;
    await poll(() => crm.outgoing.status().state === "half-open" || undefined, {
      timeoutMs: 5_000,
      intervalMs: 5,
    });
    assert.equal((await crm.rest.get()).status, 200);
    assert.equal(crm.outgoing.status().state, "ready");
    assert.equal(peer.requests.length, 6);
  });

  it("says what was wrong, and waits for nothing, when its last attempt stops the calls", async () => {
    await using peer = await startPeer((_, response) => void response.writeHead(503).end());
    await using crm = await openRest({
      address: peer.url,
      retries: { attempts: 3, firstMs: 60_000, maxMs: 60_000 },
      breaker: { callsMin: 1 },
    });

    const error = await refusal(crm.rest.get());

    assert.equal(error.code, "OUTGOING_STATUS");
    assert.equal(crm.outgoing.status().state, "open");
  });

  it("does not lose a GET when the other side is started again", async () => {
    const answer = (_: unknown, response: Parameters<typeof sendJson>[0]) =>
      sendJson(response, { ok: true });
    const first = await startPeer(answer);
    await using crm = await openRest({ address: first.url, ...quick });
    await Promise.all(Array.from({ length: 5 }, () => crm.rest.get()));

    await first[Symbol.asyncDispose]();
    await using second = await startPeer(answer, { port: first.port });
    const replies = await Promise.all(Array.from({ length: 20 }, () => crm.rest.get()));

    assert.ok(replies.every(({ status }) => status === 200));
    assert.equal(second.requests.length, 20);
  });

  it("does not wait for ever for a connection", async () => {
    const child = fork(new URL("./deaf-peer-main.ts", import.meta.url).pathname);
    try {
      const [port] = await once(child, "message") as [number];
      const fillers = Array.from({ length: 8 }, () => connect(port, "127.0.0.1"));
      for (const filler of fillers) filler.on("error", () => {});
      await using spare = await startPeer((_, response) => sendJson(response, { spare: true }));
      await using crm = await openRest({
        address: [`http://127.0.0.1:${port}`, spare.url],
        connectTimeoutMs: 50,
      });

      await poll(async () => {
        const { data } = await crm.rest.post("/", {}, { timeoutMs: 5_000 }).catch(() => ({
          data: 0,
        }));
        return typeof data === "object" || undefined;
      }, { timeoutMs: 10_000 });

      assert.equal(crm.outgoing.status().figures["failovers"], 1);
      for (const filler of fillers) filler.destroy();
    } finally {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
  });
});
