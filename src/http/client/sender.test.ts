import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import type { Credential } from "../../security/credentials/credential.ts";
import { readReply } from "./reply-body.ts";
import { HttpSender } from "./sender.ts";
import type { HttpSend } from "./sender-options.ts";

async function start(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`); // on TCP
  return {
    url,
    [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())),
  };
}

function open(url: URL, credential: Credential | undefined) {
  const sender = new HttpSender({
    kind: "RestOutgoing",
    name: "CRM",
    addresses: [url],
    balance: "in-order",
    timeoutMs: 5_000,
    connectTimeoutMs: 1_000,
    poolSize: 2,
    idleMs: 1_000,
    retries: { attempts: 1, firstMs: 1, maxMs: 1 },
    breaker: undefined,
    tls: { verify: true },
    credential,
  });
  const send = (more: Partial<HttpSend> = {}) =>
    sender.send({
      method: "POST",
      target: "/x",
      headers: {},
      body: new TextEncoder().encode("body"),
      isIdempotent: false,
      call: {
        signal: new AbortController().signal,
        remaining: () => 5_000,
        request: { cid: "cid-1", traceparent: undefined },
      },
      ...more,
    }, async (reply) => ({
      status: reply.status,
      text: new TextDecoder().decode(await readReply(reply, 1_000)),
    }));
  return { sender, send };
}

/** Tokens in the order in which they are shown. */
function tokens(...list: readonly string[]): Credential {
  let index = 0;
  return {
    apply: ({ headers, url }) => {
      headers.set("Authorization", `Bearer ${list[index]}`);
      url.searchParams.set("key", list[index]!);
    },
    refresh: () => ++index < list.length,
  };
}

const guarded = (request: IncomingMessage, response: ServerResponse) => {
  const { authorization = "" } = request.headers;
  request.resume();
  const isGood = authorization === "Bearer good" && request.url === "/x?key=good";
  response.writeHead(isGood ? 200 : 401).end(authorization);
};

describe("A sender with a credential", () => {
  it("tries once more with a new one after 401, whatever the method", async () => {
    await using server = await start(guarded);
    const { sender, send } = open(server.url, tokens("old", "good"));

    assert.deepEqual(await send(), { status: 200, text: "Bearer good" });
    assert.deepEqual(await send(), { status: 200, text: "Bearer good" });
    assert.equal(sender.status().figures["retries"], 0);
    await sender.close();
  });

  it("gives the 401 when there is no other, and does not try a third time", async () => {
    await using server = await start(guarded);
    for (const shown of [["old"], ["old", "older", "good"]]) {
      const { sender, send } = open(server.url, tokens(...shown));
      assert.equal((await send()).status, 401);
      await sender.close();
    }
  });

  it("does not send a stream again", async () => {
    await using server = await start(guarded);
    const { sender, send } = open(server.url, tokens("old", "good"));
    assert.equal((await send({ body: new Blob(["body"]).stream() })).status, 401);
    await sender.close();
  });

  it("lets it carry out the exchange where it wants to", async () => {
    const seen: unknown[] = [];
    const { sender, send } = open(new URL("http://127.0.0.1:1/base"), {
      apply: ({ headers }) => headers.set("X-Shown", "1"),
      async send(request) {
        seen.push([
          request.method,
          request.url,
          request.headers.get("x-shown"),
          await request.text(),
        ]);
        return new Response("from the credential", { status: 201 });
      },
    });

    assert.deepEqual(await send(), { status: 201, text: "from the credential" });
    assert.deepEqual(seen, [["POST", "http://127.0.0.1:1/base/x", "1", "body"]]);
    await sender.close();
  });

  it("fails, and says so, when it has nothing to show", async () => {
    const reason = new PlatformError("OUTGOING_DEADLINE", { kind: "OAuthClient", name: "login" });
    const { sender, send } = open(new URL("http://127.0.0.1:1"), {
      apply: () => Promise.reject(reason),
    });
    await assert.rejects(send(), reason);
    await sender.close();
  });

  it("keeps what the credential has open until nothing is under way", async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    await using server = await start((_, response) => asked.resolve(response));
    let isClosed = false;
    const { sender, send } = open(server.url, {
      apply: () => {},
      close: () => Promise.resolve(void (isClosed = true)),
    });
    const sending = send();
    const response = await asked.promise;

    const closing = sender.close();
    assert.equal(isClosed, false);
    response.end("late");

    assert.equal((await sending).text, "late");
    await closing;
    assert.equal(isClosed, true);
  });

  it("refuses to begin when the time is over", async () => {
    const { sender, send } = open(new URL("http://127.0.0.1:1"), undefined);
    const call = {
      signal: new AbortController().signal,
      remaining: () => 0,
      request: { cid: "", traceparent: undefined },
    };
    await assert.rejects(
      send({ call }),
      (error) => isPlatformError(error, "OUTGOING_DEADLINE"),
    );
    assert.equal(sender.status().figures["dropped"], 1);
  });
});
