import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import { after, before, describe, it } from "node:test";
import { z } from "zod";
import {
  createTestAuthority,
  future,
  past,
  type TestAuthority,
} from "../../test/integration/ca/issued-identities.ts";
import { type Code } from "../errors/codes.ts";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { poll } from "../lib/wait.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createJsonClient, type JsonClient } from "./client.ts";
import { eventStream } from "./event-stream.ts";
import type { Role, TlsMaterial } from "./identity.ts";
import type { ApiRequest, Route } from "./json-api.ts";
import type { ExpectedPeer } from "./peer.ts";
import { type JsonServer, startJsonServer } from "./server.ts";

const expectServer = { cluster: "demo", role: "server" } as const;
const identity = (role: Role, cluster = "demo") => ({ cluster, role, name: `${role}1` });

describe("JSON over mutual TLS", () => {
  let authority: TestAuthority;
  let other: TestAuthority;
  let serverTls: TlsMaterial;
  let operatorTls: TlsMaterial;
  let server: JsonServer;
  let baseUrl: string;
  let operator: JsonClient;
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level: "debug", write: (line) => lines.push(JSON.parse(line)) });
  const hits: string[] = [];
  let hung: ApiRequest | undefined;
  let streamEnded = 0;

  const everyone: readonly Role[] = ["operator", "server", "web-admin", "load-balancer"];
  const routes: readonly Route[] = [
    { method: "GET", path: "/v1/who", roles: everyone, handle: ({ peer }) => peer },
    {
      method: "PUT",
      path: "/v1/echo/:name",
      roles: ["operator"],
      handle: ({ params, query, body }) => ({ params, query: Object.fromEntries(query), body }),
    },
    { method: "DELETE", path: "/v1/echo/:name", roles: ["operator"], handle: () => undefined },
    {
      method: "POST",
      path: "/v1/fail/:how",
      roles: ["operator"],
      handle({ params, headers }) {
        hits.push(params["how"]!);
        if (params["how"] === "bug") throw new TypeError("the hidden reason");
        throw new PlatformError("CA_UNKNOWN_SERIAL", {
          directory: "d",
          serial: String(headers["accept"]),
        }, { details: { n: 1 }, advice: "Do this" });
      },
    },
    {
      method: "GET",
      path: "/v1/hang",
      roles: everyone,
      handle(request) {
        hung = request;
        hits.push("hang");
        return once(request.signal, "abort");
      },
    },
    {
      method: "GET",
      path: "/v1/events",
      roles: everyone,
      handle: ({ signal }) => eventStream(events(signal)),
    },
  ];

  async function* events(signal: AbortSignal) {
    try {
      yield { n: 1 };
      yield { n: 2, text: "two\nlines" };
      await once(signal, "abort");
    } finally {
      streamEnded++;
    }
  }

  const listening: JsonServer[] = [];
  async function start(tls: TlsMaterial, more: object = {}): Promise<JsonServer> {
    const options = { host: "127.0.0.1", port: 0, cluster: "demo", routes, logger };
    const started = await startJsonServer({ ...options, tls, maxBodyBytes: 100_000, ...more });
    listening.push(started);
    return started;
  }
  const urlOf = ({ port }: JsonServer) => `https://127.0.0.1:${port}`;
  const clients: JsonClient[] = [];
  function clientOf(tls: TlsMaterial, url = baseUrl, expect: ExpectedPeer = expectServer) {
    const client = createJsonClient({ baseUrl: url, tls, expect });
    clients.push(client);
    return client;
  }

  before(async () => {
    [authority, other] = await Promise.all([createTestAuthority(), createTestAuthority()]);
    serverTls = await authority.issue(identity("server"));
    operatorTls = await authority.issue(identity("operator"));
    server = await start(serverTls);
    baseUrl = urlOf(server);
    operator = clientOf(operatorTls);
  });
  after(async () => {
    for (const client of clients) client.close();
    await Promise.all(listening.map((one) => one.close()));
    await Promise.all([authority.remove(), other.remove()]);
  });

  async function assertFails(call: Promise<unknown>, code: Code, words: RegExp) {
    await assert.rejects(call, (error) => {
      assert.ok(isPlatformError(error, code), String(error));
      assert.match(error.message, words);
      return true;
    });
  }

  /** Waits for a log line, as handshakes are reported when the caller already knows. */
  async function assertLogged(message: string, reason: RegExp, from: number) {
    const found = await poll(
      () =>
        lines.slice(from).find(({ msg, reason: text }) =>
          msg === message && reason.test(String(text))
        ),
      { timeoutMs: 5_000, intervalMs: 10 },
    );
    assert.ok(found, `no line "${message}" with ${reason} in ${JSON.stringify(lines.slice(from))}`);
    return found;
  }

  describe("lets in who proves to be of the cluster", () => {
    for (const role of everyone) {
      it(`a ${role}`, async () => {
        const client = clientOf(await authority.issue(identity(role)));

        assert.deepEqual(await client.get("/v1/who"), identity(role));
      });
    }

    it("again and again on one connection, with parameters, query and body", async () => {
      const body = { text: "żółw", list: [1, null] };
      for (let n = 0; n < 3; n++) {
        assert.deepEqual(
          await operator.put("/v1/echo/a%2Fb?x=1&y=%20", body),
          { params: { name: "a/b" }, query: { x: "1", y: " " }, body },
        );
      }
      assert.deepEqual(await operator.put("/v1/echo/none"), {
        params: { name: "none" },
        query: {},
      });
      assert.equal(await operator.delete("/v1/echo/a"), undefined);
    });

    it("and writes one line per call that says who called what", async () => {
      const from = lines.length;

      await operator.get("/v1/who?x=1");

      const line = await poll(() => lines.slice(from).find(({ msg }) => msg === "call"), {
        timeoutMs: 5_000,
      });
      assert.equal(line?.["level"], "debug");
      assert.equal(line["path"], "/v1/who");
      assert.equal(line["peer"], "spiffe://demo/operator/operator1");
      assert.equal(line["status"], 200);
    });
  });

  describe("keeps out", () => {
    it("a caller with a certificate of another authority", async () => {
      const from = lines.length;
      const stranger = await other.issue(identity("operator"));
      const client = clientOf({ ...stranger, ca: operatorTls.ca });

      await assertFails(client.get("/v1/who"), "MTLS_UNREACHABLE", /may not trust/);

      const line = await assertLogged("handshake refused", /another authority/, from);
      assert.match(String(line["peer"]), /^127\.0\.0\.1:\d+$/);
    });

    it("a caller whose certificate has expired", async () => {
      const from = lines.length;
      const client = clientOf(await authority.issueFor(identity("operator"), past));

      await assertFails(client.get("/v1/who"), "MTLS_UNTRUSTED", /own certificate has expired/);

      await assertLogged("handshake refused", /not valid now/, from);
    });

    it("a caller whose certificate is not valid yet", async () => {
      const from = lines.length;
      const client = clientOf(await authority.issueFor(identity("operator"), future));

      await assertFails(
        client.get("/v1/who"),
        "MTLS_UNTRUSTED",
        /own certificate is not valid before/,
      );

      await assertLogged("handshake refused", /not valid now/, from);
    });

    it("a caller without a certificate", async () => {
      const from = lines.length;
      const socket = connect({
        host: "127.0.0.1",
        port: server.port,
        ca: operatorTls.ca,
        checkServerIdentity: () => undefined,
      });
      const closed = new Promise<string>((resolve) => {
        socket.once("error", (error) => resolve(String(error)));
        socket.once("data", (data) => resolve(`answered ${data}`));
      });
      socket.write("GET /v1/who HTTP/1.1\r\nHost: x\r\n\r\n");

      assert.match(await closed, /Error/);
      socket.destroy();

      await assertLogged("handshake refused", /sent no certificate/, from);
    });

    it("a caller that does not speak TLS", async () => {
      const from = lines.length;
      const socket = connectPlain(server.port, "127.0.0.1");
      socket.write("GET /v1/who HTTP/1.1\r\nHost: x\r\n\r\n");
      socket.resume();
      await once(socket, "close");

      await assertLogged("handshake refused", /does not speak TLS/, from);
    });

    it("a member of another cluster of the same authority", async () => {
      const client = clientOf(await authority.issue(identity("operator", "prod")));

      await assertFails(
        client.get("/v1/who"),
        "MTLS_OTHER_CLUSTER",
        /"prod", not to cluster "demo"/,
      );
    });

    it("a role that the operation is not for, naming both", async () => {
      const client = clientOf(await authority.issue(identity("web-admin")));

      await assertFails(
        client.put("/v1/echo/a", {}),
        "MTLS_ROLE_REFUSED",
        /PUT \/v1\/echo\/:name is not for the role web-admin, only for operator/,
      );
    });
  });

  describe("keeps clients from", () => {
    it("a server of another authority", async () => {
      const stranger = await start(await other.issue(identity("server")));

      await assertFails(
        clientOf(operatorTls, urlOf(stranger)).get("/v1/who"),
        "MTLS_UNTRUSTED",
        /another authority/,
      );
    });

    it("a server whose certificate has expired", async () => {
      const expired = await start(await authority.issueFor(identity("server"), past));

      await assertFails(
        clientOf(operatorTls, urlOf(expired)).get("/v1/who"),
        "MTLS_UNTRUSTED",
        /has expired/,
      );
    });

    it("an operator who poses as a server", async () => {
      const poser = await start(operatorTls);

      await assertFails(
        clientOf(operatorTls, urlOf(poser)).get("/v1/who"),
        "MTLS_UNTRUSTED",
        /not for this use/,
      );
    });

    for (
      const [what, expect] of Object.entries(
        {
          "another cluster": { ...expectServer, cluster: "prod" },
          "another role": { cluster: "demo", role: "load-balancer" },
          "another name": { ...expectServer, name: "server2" },
        } satisfies Record<string, ExpectedPeer>,
      )
    ) {
      it(`a component of ${what}, whatever was called before`, async () => {
        await operator.get("/v1/who");
        await operator.post("/v1/fail/ours").catch(() => {});
        const client = clientOf(operatorTls, baseUrl, expect);
        hits.length = 0;

        for (let n = 0; n < 2; n++) {
          const words = /it is the server "server1" of cluster "demo", wanted the/;
          await assertFails(client.get("/v1/who"), "MTLS_UNTRUSTED", words);
          await assertFails(client.post("/v1/fail/ours"), "MTLS_UNTRUSTED", words);
        }

        assert.deepEqual(hits, []);
      });
    }
  });

  describe("answers what it cannot do with problems", () => {
    it("the errors of a route, rebuilt at the caller", async () => {
      await assert.rejects(operator.post("/v1/fail/ours"), (error) => {
        assert.ok(isPlatformError(error, "CA_UNKNOWN_SERIAL"));
        assert.match(error.message, /has issued no certificate with serial application\/json/);
        assert.equal(error.advice, "Do this");
        assert.deepEqual(error.details, { n: 1 });
        return true;
      });
    });

    it("an unknown error without its words, which are in the log under the same cid", async () => {
      const from = lines.length;

      await assert.rejects(operator.post("/v1/fail/bug"), (error) => {
        assert.ok(isPlatformError(error, "INTERNAL"));
        assert.ok(!JSON.stringify(error).includes("hidden"));
        const line = lines.slice(from).find(({ level }) => level === "error");
        assert.ok(JSON.stringify(line?.["error"]).includes("the hidden reason"));
        assert.ok(error.advice?.includes(String(line?.["cid"])));
        return true;
      });
    });

    it("an unknown path, with the nearest one", async () => {
      await assertFails(operator.get("/v1/whom"), "MTLS_UNKNOWN_PATH", /did you mean "\/v1\/who"/);
    });

    it("a body over the limit, even while it is still being sent", async () => {
      const body = "x".repeat(20_000_000);

      await assertFails(operator.put("/v1/echo/a", body), "MTLS_BODY_TOO_LARGE", /100000 bytes/);
      await assertFails(operator.post("/v1/who", body), "MTLS_WRONG_METHOD", /takes GET, not POST/);
    });

    it("on the wire as RFC 9457 says", async () => {
      const answer = await raw("DELETE /v1/who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

      assert.match(answer, /^HTTP\/1\.1 405 Method Not Allowed\r\n/);
      assert.match(answer, /\r\nContent-Type: application\/problem\+json\r\n/i);
      assert.match(answer, /\r\nAllow: GET\r\n/i);
      const cid = /\r\nX-Dragoman-Cid: (\S+)\r\n/i.exec(answer)?.[1];
      const { detail, advice, ...problem } = JSON.parse(answer.slice(answer.indexOf("{")));
      assert.deepEqual(problem, {
        type: "about:blank",
        title: "Method Not Allowed",
        status: 405,
        code: "MTLS_WRONG_METHOD",
        details: { allowed: "GET" },
        cid,
      });
      assert.ok(detail.length > 0 && advice.length > 0);
    });

    it("a body that is not JSON, without quoting it", async () => {
      const body = '{"password": "hunter2", oops';
      const answer = await raw(
        "PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      );

      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.match(answer, /MTLS_BODY_SYNTAX/);
      assert.ok(!answer.includes("hunter2"), answer);
    });
  });

  /** Sends bytes as the operator and returns everything that comes until the server closes. */
  async function raw(text: string, port = server.port): Promise<string> {
    const socket = connect({
      host: "127.0.0.1",
      port,
      ...operatorTls,
      checkServerIdentity: () => undefined,
    });
    let answer = "";
    socket.on("data", (data) => answer += data);
    socket.on("error", (error) => answer += String(error));
    socket.write(text);
    await once(socket, "close");
    return answer;
  }

  describe("ends", () => {
    it("connections that do not send a whole head, and those that do not shake hands", async () => {
      const strict = await start(serverTls, { limits: { headersMs: 200, handshakeMs: 200 } });
      const from = lines.length;

      assert.equal(await raw("GET /v1/who HTTP/1.1\r\nHost: x\r\nA: ", strict.port), "");
      const socket = connectPlain(strict.port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "close");

      await assertLogged("handshake refused", /timeout/, from);
    });

    it("a call whose caller gives up, once, and leaves nothing behind", async () => {
      await operator.get("/v1/who");
      hits.length = 0;
      const controller = new AbortController();
      const call = operator.get("/v1/hang", { signal: controller.signal });
      await poll(() => hits[0], { timeoutMs: 5_000 });
      const ended = once(hung!.signal, "abort");

      controller.abort(new Error("changed my mind"));

      await assert.rejects(call, /changed my mind/);
      await ended;
      await operator.get("/v1/who");
      assert.deepEqual(hits, ["hang"]);
    });

    it("a call that takes too long", async () => {
      await assertFails(
        operator.get("/v1/hang", { timeoutMs: 100 }),
        "MTLS_TIMEOUT",
        /did not answer GET \/v1\/hang within 100 ms/,
      );
    });
  });

  it("streams events until the caller hangs up", async () => {
    const socket = connect({
      host: "127.0.0.1",
      port: server.port,
      ...operatorTls,
      checkServerIdentity: () => undefined,
    });
    socket.write("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");
    let text = "";
    socket.on("data", (data) => text += data);

    await poll(() => (text.includes('"n":2') ? true : undefined), { timeoutMs: 5_000 });
    assert.match(text, /content-type: text\/event-stream/i);
    assert.match(text, /data: {"n":1}\n\n/);
    assert.match(text, /data: {"n":2,"text":"two\\nlines"}\n\n/);
    assert.equal(streamEnded, 0);
    socket.destroy();

    assert.ok(await poll(() => streamEnded || undefined, { timeoutMs: 5_000 }));
  });

  it("uses a renewed certificate and authority for new connections", async () => {
    const renewing = await start(serverTls);
    const newServer = await other.issue(identity("server"));
    const newOperator = await other.issue(identity("operator"));

    renewing.setTls(newServer);

    assert.deepEqual(
      await clientOf(newOperator, urlOf(renewing)).get("/v1/who"),
      identity("operator"),
    );
    const old = clientOf({ ...operatorTls, ca: newOperator.ca }, urlOf(renewing));
    await assertFails(old.get("/v1/who"), "MTLS_UNREACHABLE", /may not trust/);
  });

  it("closes when calls in flight have their answers, and streams have ended", async () => {
    const closing = await start(serverTls, {
      routes: [...routes, {
        method: "GET",
        path: "/v1/slow",
        roles: everyone,
        handle: () => new Promise((resolve) => finish = () => resolve({ done: true })),
      }],
    });
    let finish: (() => void) | undefined;
    const client = clientOf(operatorTls, urlOf(closing));
    const slow = client.get("/v1/slow");
    await poll(() => finish, { timeoutMs: 5_000 });
    const stream = raw("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n", closing.port);
    await poll(() => (lines.some(({ path }) => path === "/v1/slow") ? true : undefined), {
      timeoutMs: 50,
    });

    const closed = closing.close();
    await assertFails(client.post("/v1/slow"), "MTLS_UNREACHABLE", /nothing listens/);
    finish!();

    assert.deepEqual(await slow, { done: true });
    await closed;
    await closing.close();
    assert.match(await stream, /event-stream|^$/);
  });

  it("cuts off at closing what takes longer than it may", async () => {
    const closing = await start(serverTls, { limits: { drainMs: 50 } });
    const call = clientOf(operatorTls, urlOf(closing)).get("/v1/hang");
    const failed = assertFails(call, "MTLS_UNREACHABLE", /closed|nothing listens/);
    hung = undefined;
    await poll(() => hung, { timeoutMs: 5_000 });

    await closing.close();

    await failed;
  });

  it("is found again by clients that kept connections, when it starts anew", async () => {
    const first = await start(serverTls);
    const client = clientOf(operatorTls, urlOf(first));
    await Promise.all(Array.from({ length: 20 }, () => client.get("/v1/who")));

    await first.close();
    await start(serverTls, { port: first.port });

    for (let n = 0; n < 3; n++) assert.deepEqual(await client.get("/v1/who"), identity("operator"));
    await assertFails(client.post("/v1/fail/ours"), "CA_UNKNOWN_SERIAL", /issued no/);
  });

  it("lets a client close in the middle of a call, on a new and on a kept connection", async () => {
    for (const isKept of [false, true]) {
      const client = clientOf(operatorTls);
      if (isKept) await client.get("/v1/who");
      hung = undefined;
      const failed = assertFails(client.get("/v1/hang"), "MTLS_UNREACHABLE", /closed its client/);
      const { signal } = (await poll(() => hung, { timeoutMs: 5_000 }))!;

      client.close();

      await failed;
      if (!signal.aborted) await once(signal, "abort");
      await assertFails(client.get("/v1/who"), "MTLS_UNREACHABLE", /closed its client/);
    }
  });

  it("checks answers against a schema when the caller gives one", async () => {
    const schema = z.object({ role: z.literal("operator"), name: z.string() });

    assert.equal((await operator.get("/v1/who", { schema })).name, "operator1");
    await assertFails(
      operator.get("/v1/who", { schema: z.object({ role: z.literal("server") }) }),
      "MTLS_BAD_ANSWER",
      /role/,
    );
  });

  it("says that a port is taken", async () => {
    await assertFails(
      start(serverTls, { port: server.port }),
      "MTLS_CANNOT_LISTEN",
      /the port is taken/,
    );
  });

  it("refuses addresses that are none, without a password in them", () => {
    for (const address of ["http://127.0.0.1:1", "server1:17110", "https://u:hunter2@h:1"]) {
      assert.throws(
        () => clientOf(operatorTls, address),
        (error) =>
          isPlatformError(error, "MTLS_INVALID_ADDRESS") && !error.message.includes("hunter2"),
      );
    }
  });
});
