import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import { after, before, describe, it } from "node:test";
import { future, past } from "../../test/integration/ca/issued-identities.ts";
import {
  assertFails,
  eventually,
  everyone,
  identity,
  type JsonPeers,
  startJsonPeers,
} from "../../test/integration/ca/json-peers.ts";
import { isPlatformError } from "../errors/platform-error.ts";

describe("A JSON server", () => {
  let peers: JsonPeers;
  before(async () => peers = await startJsonPeers());
  after(() => peers.remove());

  const matches = (line: Record<string, unknown>, message: string, reason: RegExp) =>
    line["msg"] === message && reason.test(String(line["reason"]));

  /** Waits for a log line, as handshakes are reported when the caller already knows. */
  async function assertLogged(message: string, reason: RegExp, from: number) {
    return await eventually(
      `a line "${message}" with ${reason}`,
      () => peers.lines.slice(from).find((line) => matches(line, message, reason)),
    );
  }

  describe("lets in who proves to be of the cluster", () => {
    for (const role of everyone) {
      it(`a ${role}`, async () => {
        const client = peers.clientOf(await peers.authority.issue(identity(role)));

        assert.deepEqual(await client.get("/v1/who"), identity(role));
      });
    }

    it("again and again on one connection, with parameters, query and body", async () => {
      const body = { text: "żółw", list: [1, null] };
      for (let n = 0; n < 3; n++) {
        assert.deepEqual(
          await peers.operator.put("/v1/echo/a%2Fb?x=1&y=%20", body),
          { params: { name: "a/b" }, query: { x: "1", y: " " }, body },
        );
      }
      assert.deepEqual(await peers.operator.put("/v1/echo/none"), {
        params: { name: "none" },
        query: {},
      });
      assert.equal(await peers.operator.delete("/v1/echo/a"), undefined);
    });

    it("and writes one line per call that says who called what", async () => {
      const from = peers.lines.length;

      await peers.operator.get("/v1/who?x=1");

      const line = await eventually(
        "a line",
        () => peers.lines.slice(from).find(({ msg }) => msg === "call"),
      );
      assert.equal(line["level"], "debug");
      assert.equal(line["path"], "/v1/who");
      assert.equal(line["peer"], "spiffe://demo/operator/operator1");
      assert.equal(line["status"], 200);
    });
  });

  describe("keeps out", () => {
    it("a caller with a certificate of another authority", async () => {
      const from = peers.lines.length;
      const stranger = await peers.other.issue(identity("operator"));
      const client = peers.clientOf({ ...stranger, ca: peers.operatorTls.ca });

      await assertFails(client.get("/v1/who"), "MTLS_UNREACHABLE", /may not trust/);

      const line = await assertLogged("handshake refused", /another authority/, from);
      assert.match(String(line["peer"]), /^127\.0\.0\.1:\d+$/);
    });

    it("a caller whose certificate has expired", async () => {
      const from = peers.lines.length;
      const client = peers.clientOf(await peers.authority.issueFor(identity("operator"), past));

      await assertFails(client.get("/v1/who"), "MTLS_UNTRUSTED", /own certificate has expired/);

      await assertLogged("handshake refused", /not valid now/, from);
    });

    it("a caller whose certificate is not valid yet", async () => {
      const from = peers.lines.length;
      const client = peers.clientOf(await peers.authority.issueFor(identity("operator"), future));

      await assertFails(
        client.get("/v1/who"),
        "MTLS_UNTRUSTED",
        /own certificate is not valid before/,
      );

      await assertLogged("handshake refused", /not valid now/, from);
    });

    it("a caller without a certificate", async () => {
      const from = peers.lines.length;
      const socket = connect({
        host: "127.0.0.1",
        port: peers.server.port,
        ca: peers.operatorTls.ca,
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
      const from = peers.lines.length;
      const socket = connectPlain(peers.server.port, "127.0.0.1");
      socket.write("GET /v1/who HTTP/1.1\r\nHost: x\r\n\r\n");
      socket.resume();
      await once(socket, "close");

      await assertLogged("handshake refused", /does not speak TLS/, from);
    });

    it("a member of another cluster of the same authority", async () => {
      const client = peers.clientOf(await peers.authority.issue(identity("operator", "prod")));

      await assertFails(
        client.get("/v1/who"),
        "MTLS_OTHER_CLUSTER",
        /"prod", not to cluster "demo"/,
      );
    });

    it("a role that the operation is not for, naming both", async () => {
      const client = peers.clientOf(await peers.authority.issue(identity("web-admin")));

      await assertFails(
        client.put("/v1/echo/a", {}),
        "MTLS_ROLE_REFUSED",
        /PUT \/v1\/echo\/:name is not for the role web-admin, only for operator/,
      );
    });
  });

  describe("answers what it cannot do with problems", () => {
    it("the errors of a route, rebuilt at the caller", async () => {
      await assert.rejects(peers.operator.post("/v1/fail/ours"), (error) => {
        assert.ok(isPlatformError(error, "CA_UNKNOWN_SERIAL"));
        assert.match(error.message, /has issued no certificate with serial application\/json/);
        assert.equal(error.advice, "Do this");
        assert.deepEqual(error.details, { n: 1 });
        return true;
      });
    });

    it("an unknown error without its words, which are in the log under the same cid", async () => {
      const from = peers.lines.length;

      await assert.rejects(peers.operator.post("/v1/fail/bug"), (error) => {
        assert.ok(isPlatformError(error, "INTERNAL"));
        assert.ok(!JSON.stringify(error).includes("hidden"));
        const line = peers.lines.slice(from).find(({ level }) => level === "error");
        assert.ok(JSON.stringify(line?.["error"]).includes("the hidden reason"));
        assert.ok(error.advice?.includes(String(line?.["cid"])));
        return true;
      });
    });

    it("an unknown path, with the nearest one", async () => {
      await assertFails(
        peers.operator.get("/v1/whom"),
        "MTLS_UNKNOWN_PATH",
        /did you mean "\/v1\/who"/,
      );
    });

    it("a body over the limit, even while it is still being sent", async () => {
      const body = "x".repeat(20_000_000);

      await assertFails(
        peers.operator.put("/v1/echo/a", body),
        "MTLS_BODY_TOO_LARGE",
        /100000 bytes/,
      );
      await assertFails(
        peers.operator.post("/v1/who", body),
        "MTLS_WRONG_METHOD",
        /takes GET, not POST/,
      );
    });

    it("on the wire as RFC 9457 says", async () => {
      const answer = await peers.raw(
        "DELETE /v1/who HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
      );

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
      const answer = await peers.raw(
        "PUT /v1/echo/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      );

      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.match(answer, /MTLS_BODY_SYNTAX/);
      assert.ok(!answer.includes("hunter2"), answer);
    });
  });

  it("ends connections that do not send a whole head, and those that do not shake hands", async () => {
    const strict = await peers.start(peers.serverTls, {
      limits: { headersMs: 200, handshakeMs: 200 },
    });
    const from = peers.lines.length;

    assert.equal(await peers.raw("GET /v1/who HTTP/1.1\r\nHost: x\r\nA: ", strict), "");
    const socket = connectPlain(strict.port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "close");

    await assertLogged("handshake refused", /timeout/, from);
  });

  it("streams events until the caller hangs up", async () => {
    const checkServerIdentity = () => undefined;
    const { server: { port }, operatorTls, seen } = peers;
    const socket = connect({ host: "127.0.0.1", port, ...operatorTls, checkServerIdentity });
    let text = "";
    socket.on("data", (data) => text += data);
    socket.write("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n");

    await eventually("a second event", () => text.includes('"n":2') || undefined);
    assert.match(text, /content-type: text\/event-stream/i);
    assert.match(text, /data: {"n":1}\n\n/);
    assert.match(text, /data: {"n":2,"text":"two\\nlines"}\n\n/);
    assert.equal(seen.streamsEnded, 0);
    socket.destroy();

    await eventually("the end of the iteration", () => seen.streamsEnded || undefined);
  });

  it("ends a stream that breaks with an event that says why", async () => {
    const text = await peers.raw(
      "GET /v1/events?break HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );

    assert.match(text, /"n":2[^]*event: error\ndata: {[^\n]*"code":"MTLS_NO_IDENTITY"/);
  });

  it("uses a renewed certificate and authority for new connections", async () => {
    const renewing = await peers.start(peers.serverTls);
    const newServer = await peers.other.issue(identity("server"));
    const newOperator = await peers.other.issue(identity("operator"));

    renewing.setTls(newServer);

    assert.deepEqual(
      await peers.clientOf(newOperator, renewing).get("/v1/who"),
      identity("operator"),
    );
    const old = peers.clientOf({ ...peers.operatorTls, ca: newOperator.ca }, renewing);
    await assertFails(old.get("/v1/who"), "MTLS_UNREACHABLE", /may not trust/);
  });

  it("closes when calls in flight have their answers and streams have ended", async () => {
    let finish: (() => void) | undefined;
    const slow = {
      method: "GET",
      path: "/v1/slow",
      roles: everyone,
      handle: () => new Promise((resolve) => finish = () => resolve({ done: true })),
    } as const;
    const closing = await peers.start(peers.serverTls, { routes: [...peers.routes, slow] });
    const client = peers.clientOf(peers.operatorTls, closing);
    const ended = peers.seen.streamsEnded;
    const stream = peers.raw("GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n", closing);
    const call = client.get("/v1/slow");
    await eventually("the call", () => finish);

    const closed = closing.close();
    await assertFails(client.post("/v1/slow"), "MTLS_UNREACHABLE", /nothing listens/);
    finish!();

    assert.deepEqual(await call, { done: true });
    await closed;
    await closing.close();
    assert.match(await stream, /"n":2/);
    assert.equal(peers.seen.streamsEnded, ended + 1);
  });

  it("cuts off at closing what takes longer than it may", async () => {
    const closing = await peers.start(peers.serverTls, { limits: { drainMs: 50 } });
    const call = peers.clientOf(peers.operatorTls, closing).get("/v1/hang");
    const failed = assertFails(call, "MTLS_UNREACHABLE", /closed|nothing listens/);
    peers.seen.hung = undefined;
    await eventually("the call", () => peers.seen.hung);

    await closing.close();

    await failed;
  });

  it("says that a port is taken", async () => {
    await assertFails(
      peers.start(peers.serverTls, { port: peers.server.port }),
      "MTLS_CANNOT_LISTEN",
      /the port is taken/,
    );
  });
});
