import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { SignJWT } from "jose";
import { parseClusterKey } from "../../../src/security/cluster-key.ts";
import { apiKey } from "../../../src/security/api-key.ts";
import { basicAuth } from "../../../src/security/basic-auth.ts";
import { jwt } from "../../../src/security/jwt/index.ts";
import { sealSpec } from "../../../src/security/secrets.ts";
import { clusterKey, object, WorkerProcess } from "../data-plane/worker-process.ts";
import { connectClient, SocketClient } from "./client.ts";
import { handshakeStatus } from "./raw-socket.ts";
import { services } from "./services.ts";

const key = "a key of at least sixteen characters".replaceAll(" ", "-");
const secret = "a secret of HS256 that is long enough";

const kinds = { ApiKey: apiKey, Jwt: jwt, BasicAuth: basicAuth };

async function definition(
  kind: keyof typeof kinds,
  name: string,
  spec: Record<string, unknown>,
  revision = 1,
) {
  const declared = kinds[kind] as Parameters<typeof sealSpec>[0]; // whichever it is
  const sealed = await sealSpec(declared, spec, { name, key: parseClusterKey(clusterKey) });
  return object(kind, name, sealed, revision);
}

function token(subject: string, expires: string | number = "1h"): Promise<string> {
  return new SignJWT({ roles: ["member"] }).setProtectedHeader({ alg: "HS256" })
    .setSubject(subject).setExpirationTime(expires).sign(Buffer.from(secret));
}

describe("Security of a WebSocketChannel", () => {
  let worker: WorkerProcess;
  before(async () => {
    worker = await WorkerProcess.start();
    const { failures } = await worker.configure({
      bundles: [await worker.bundle("services.ts", services)],
      upserted: [
        await definition("ApiKey", "header-key", { key, roles: ["member"] }),
        await definition("ApiKey", "query-key", { key: `${key}-2`, query: "key" }),
        await definition("Jwt", "tokens", { algorithms: ["HS256"], secret, rolesClaim: "roles" }),
        await definition("BasicAuth", "people", { username: "ana", password: "swordfish-9" }),
        object("WebSocketChannel", "strict", {
          path: "/strict",
          services: ["about", "say"],
          security: ["header-key", "query-key", "tokens"],
          tokenQuery: "access_token",
        }),
        object("WebSocketChannel", "late", {
          path: "/late",
          services: ["about"],
          security: ["header-key", "query-key", "tokens", "people"],
          authTimeoutMs: 400,
        }),
        object("WebSocketChannel", "members", {
          path: "/members",
          services: ["about"],
          security: ["query-key", "header-key"],
          roles: ["member"],
          authTimeoutMs: 5_000,
        }),
        object("WebSocketChannel", "pages", {
          path: "/pages",
          service: "about",
          security: "none",
          origins: ["https://shop.example.com", "https://*.example.org"],
        }),
        object("WebSocketChannel", "own", { path: "/own", service: "about", security: "none" }),
      ],
    });
    assert.deepEqual(failures, []);
  });
  after(() => worker[Symbol.asyncDispose]());

  const who = async (client: SocketClient) =>
    (await client.ask({ service: "about" })).output as {
      readonly principal: { readonly name: string; readonly subject?: string };
      readonly query: string;
    };

  it("refuses handshakes without credentials, or with wrong ones", async () => {
    const { port } = worker;
    assert.equal(await handshakeStatus(port, "/strict"), 401);
    assert.equal(await handshakeStatus(port, "/strict", { "X-API-Key": "wrong" }), 401);
    assert.equal(await handshakeStatus(port, "/strict?key=wrong"), 401);
    assert.equal(await handshakeStatus(port, "/strict?access_token=a.b.c"), 401);
    assert.equal(await handshakeStatus(port, "/late", { Authorization: "Bearer a.b.c" }), 401);
  });

  it("takes credentials from headers and the query, and hides the latter", async () => {
    using header = await connectClient(`${worker.url}/strict`, { "X-API-Key": key });
    assert.equal((await who(header)).principal.name, "header-key");

    using query = await connectClient(`${worker.url}/strict?a=1&key=${key}-2`);
    const { principal, query: rest } = await who(query);
    assert.equal(principal.name, "query-key");
    assert.equal(rest, "a=1");

    using page = await connectClient(`${worker.url}/strict?access_token=${await token("eve")}`);
    const { principal: eve, query: nothing } = await who(page);
    assert.deepEqual([eve.name, eve.subject, nothing], ["tokens", "eve", ""]);
  });

  it("takes credentials from the first message where the channel says so", async () => {
    const ways: [Record<string, unknown>, string][] = [
      [{ apiKey: key }, "header-key"],
      [{ apiKey: `${key}-2` }, "query-key"],
      [{ token: await token("eve") }, "tokens"],
      [{ username: "ana", password: "swordfish-9" }, "people"],
      [{ headers: { "X-API-Key": key } }, "header-key"],
    ];
    for (const [credentials, name] of ways) {
      using client = await new SocketClient(`${worker.url}/late`, {}).opened();
      assert.equal((await client.ask({ type: "authenticate", ...credentials })).ok, true);
      await client.welcomed();
      assert.equal((await who(client)).principal.name, name);
    }
  });

  it("keeps messages that come while credentials are checked", async () => {
    using client = await new SocketClient(`${worker.url}/late`, {}).opened();
    client.send({ type: "authenticate", username: "ana", password: "swordfish-9" });

    const { principal } = await who(client);

    assert.equal(principal.name, "people");
  });

  it("ends connections whose first message has no good credentials", async () => {
    const wrong: unknown[] = [
      { type: "authenticate", token: "wrong" },
      { type: "authenticate", apiKey: "wrong\nX-API-Key: x" },
      { type: "authenticate" },
      { id: 1, service: "about" },
      "{",
    ];
    for (const message of wrong) {
      const client = await new SocketClient(`${worker.url}/late`, {}).opened();
      client.send(message);
      assert.equal((await client.take(({ type }) => type === "error")).ok, false);
      assert.ok([3000, 1008].includes((await client.closed).code), JSON.stringify(message));
    }
    const silent = await new SocketClient(`${worker.url}/late`, {}).opened();
    assert.deepEqual(await silent.closed, { code: 3000, reason: "No credentials came in time" });
  });

  it("wants the roles of the channel", async () => {
    using _ = await connectClient(`${worker.url}/members`, { "X-API-Key": key });
    assert.equal(await handshakeStatus(worker.port, `/members?key=${key}-2`), 403);

    const other = await new SocketClient(`${worker.url}/members`, {}).opened();
    other.send({ type: "authenticate", apiKey: `${key}-2` });
    // The same text is the header's key and the parameter's.
    assert.equal((await other.take(() => true)).error?.status, 403);
    assert.equal((await other.closed).code, 3003);
  });

  it("ends a connection when its token expires, unless a newer one comes", async () => {
    const soon = Math.floor(Date.now() / 1_000) - 28; // tokens may be 30 s late
    const headers = { Authorization: `Bearer ${await token("eve", soon)}` };
    const client = await connectClient(`${worker.url}/strict`, headers);
    using kept = await connectClient(`${worker.url}/strict`, headers);
    assert.equal((await kept.ask({ type: "authenticate", token: await token("eve") })).ok, true);

    assert.equal((await client.closed).code, 3000);

    const { error } = await kept.ask({ type: "authenticate", token: await token("mallory") });
    assert.equal(error?.status, 403);
    assert.equal((await who(kept)).principal.subject, "eve");
  });

  it("lets services push to those whom a definition let in, or a token names", async () => {
    using keyed = await connectClient(`${worker.url}/strict`, { "X-API-Key": key });
    const bearer = async (name: string) => ({ Authorization: `Bearer ${await token(name)}` });
    using eve = await connectClient(`${worker.url}/strict`, await bearer("eve"));
    using bob = await connectClient(`${worker.url}/strict`, await bearer("bob"));
    const say = (data: string, to: Record<string, unknown>) =>
      keyed.ask({ service: "say", input: { data, to } });

    await say("for tokens", { principal: "tokens" });
    await say("for bob", { subject: "bob" });
    await say("for none", { principal: "header-key", subject: "bob" });
    await say("for all", {});

    const heard = async (client: SocketClient, count: number) => {
      const all = [];
      for (let index = 0; index < count; index++) all.push((await client.push()).data);
      assert.deepEqual(client.inbox, []);
      return all;
    };
    assert.deepEqual(await heard(keyed, 1), ["for all"]);
    assert.deepEqual(await heard(eve, 2), ["for tokens", "for all"]);
    assert.deepEqual(await heard(bob, 3), ["for tokens", "for bob", "for all"]);
  });

  it("holds pages to the origins of the channel", async () => {
    const { port } = worker;
    const from = (path: string, Origin: string) => handshakeStatus(port, path, { Origin });
    for (const origin of ["https://shop.example.com", "https://a.b.example.org"]) {
      assert.equal(await from("/pages", origin), 101, origin);
    }
    for (
      const origin of [
        "http://shop.example.com",
        "https://example.org",
        "https://evil.com",
        "https://evilexample.org",
        "https://shop.example.com.evil.com",
        "null",
      ]
    ) assert.equal(await from("/pages", origin), 403, origin);
    assert.equal(await from("/own", `http://127.0.0.1:${port}`), 101);
    assert.equal(await from("/own", `https://127.0.0.1:${port}`), 101);
    assert.equal(await from("/own", "http://127.0.0.1"), 403);
    assert.equal(await from("/own", "null"), 403);
    assert.equal(await handshakeStatus(port, "/own"), 101);
  });

  it("sends clients away when a definition that let them in changes", async () => {
    const client = await connectClient(`${worker.url}/strict`, { "X-API-Key": key });
    using other = await connectClient(`${worker.url}/own`);

    await worker.configure({
      bundles: [await worker.bundle("services.ts", services)],
      upserted: [await definition("ApiKey", "header-key", { key: `${key}-new` }, 2)],
    });

    assert.equal((await client.closed).code, 1012);
    assert.equal(await handshakeStatus(worker.port, "/strict", { "X-API-Key": key }), 401);
    assert.equal((await other.ask({})).ok, true);
  });
});
