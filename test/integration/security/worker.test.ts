import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type JWTPayload, SignJWT } from "jose";
import { findFreePort } from "../../../src/lib/ports.ts";
import { channel, WorkerProcess } from "../data-plane/worker-process.ts";
import { clientCertificateField } from "./client-certificate.ts";
import { json, Provider } from "./provider.ts";
import { sealed } from "./sealed-object.ts";

const services = `
  export const who = defineService({
    name: "who",
    handle: ({ input, request }) => ({
      principal: request.principal ?? null, input, query: String(request.query),
    }),
  });
`;

const pair = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const jwks = { keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256" }] };
const keys = { query: "query-key-0123456789", reader: "reader-key-0123456789" };
const secret = randomBytes(32).toString("hex");

function token(claims: JWTPayload = {}, header: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ sub: "ana", iss: "https://issuer", roles: ["reader"], ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "one", ...header })
    .setExpirationTime("10m").sign(pair.privateKey);
}

const bearer = (text: string) => ({ Authorization: `Bearer ${text}` });

describe("A worker guarding channels with tokens, certificates and groups", () => {
  let provider: Provider;
  let worker: WorkerProcess;
  let certificate: string;

  before(async () => {
    provider = await Provider.start((_, response) => json(response, jwks));
    certificate = await clientCertificateField("crm-client");
    worker = await WorkerProcess.start({ trustedProxies: ["127.0.0.1"] });
    const { failures } = await worker.configure({
      upserted: [
        await sealed("ApiKey", "query", { query: "api_key", key: keys.query }),
        await sealed("ApiKey", "reader", { key: keys.reader, roles: ["reader"] }),
        await sealed("BasicAuth", "bo", { username: "bo", password: "secret-of-bo" }),
        await sealed("Jwt", "issuer", {
          algorithms: ["RS256"],
          jwksUrl: provider.url,
          jwksCooldownSeconds: 1,
          issuer: "https://issuer",
          rolesClaim: "roles",
        }),
        await sealed("Jwt", "shared", { algorithms: ["HS256"], secret }),
        await sealed("Jwt", "away", {
          algorithms: ["RS256"],
          jwksUrl: `http://127.0.0.1:${await findFreePort()}/keys`,
        }),
        await sealed("ClientCertificate", "crm", { subject: { CN: "crm-client" } }),
        await sealed("SecurityGroup", "inner", { members: ["bo", "crm"], roles: ["writer"] }),
        await sealed("SecurityGroup", "all", { members: ["inner", "reader", "issuer"] }),
        channel("/query", "who", { security: ["query"] }),
        channel("/issuer", "who", { security: ["issuer"] }),
        channel("/shared", "who", { security: ["shared"] }),
        channel("/away", "who", { security: ["away"] }),
        channel("/away-or-key", "who", { security: ["away", "reader"] }),
        channel("/certificate", "who", { security: ["crm"] }),
        channel("/group", "who", { security: ["all"] }),
        channel("/readers", "who", { security: ["all"], roles: ["admin", "reader"] }),
        channel("/writers", "who", { security: ["all"], roles: ["writer"] }),
      ],
      bundles: [await worker.bundle("who.ts", services)],
    });
    assert.deepEqual(failures, []);
  });
  after(async () => {
    await worker?.[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });

  async function principal(path: string, headers: HeadersInit = {}): Promise<unknown> {
    const response = await worker.fetch(path, { headers });
    const answer = await response.json();
    return response.status === 200 ? answer.principal?.name : response.status;
  }

  it("takes a key from the query, and shows it to nobody behind", async () => {
    const response = await worker.fetch(`/query?a=1&api_key=${keys.query}&b=2`);
    const { principal, input, query } = await response.json();

    assert.equal(principal.name, "query");
    assert.equal(query, "a=1&b=2");
    assert.doesNotMatch(JSON.stringify(input), /api_key|query-key/);
  });

  it("takes no key that stands in the query twice, in a header, or in the body", async () => {
    const twice = `/query?api_key=${keys.query}&api_key=${keys.query}`;
    assert.equal(await principal(twice), 401);
    assert.equal(await principal("/query", { api_key: keys.query }), 401);
    const body = new URLSearchParams({ api_key: keys.query });
    assert.equal((await worker.fetch("/query", { method: "POST", body })).status, 401);
  });

  it("takes tokens of an issuer that publishes its keys, and tells the service whose", async () => {
    const response = await worker.fetch("/issuer", { headers: bearer(await token()) });
    const { principal } = await response.json();

    assert.deepEqual([principal.kind, principal.name], ["Jwt", "issuer"]);
    assert.equal(principal.subject, "ana");
    assert.deepEqual(principal.roles, ["reader"]);
    assert.equal(principal.claims.iss, "https://issuer");
  });

  it("takes tokens under a shared secret, and no others", async () => {
    const sign = (text: string) =>
      new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setExpirationTime("10m")
        .sign(new TextEncoder().encode(text));

    assert.equal(await principal("/shared", bearer(await sign(secret))), "shared");
    assert.equal(await principal("/shared", bearer(await sign(`${secret}0`))), 401);
    assert.equal(await principal("/shared", bearer(await token())), 401);
    assert.equal(await principal("/issuer", bearer(await sign(secret))), 401);
  });

  it("follows an issuer that changes its keys", async () => {
    const next = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const published = { ...next.publicKey.export({ format: "jwk" }), kid: "two", alg: "RS256" };
    const old = await token();
    assert.equal(await principal("/issuer", bearer(old)), "issuer");
    const renewed = await new SignJWT({ iss: "https://issuer" })
      .setProtectedHeader({ alg: "RS256", kid: "two" }).setExpirationTime("10m")
      .sign(next.privateKey);
    provider.answer = (_, response) => json(response, { keys: [published] });

    // The cooldown of one second is the only wait: until then the name is unknown.
    const until = performance.now() + 10_000;
    let found: unknown = 401;
    while (found === 401 && performance.now() < until) {
      found = await principal("/issuer", bearer(renewed));
    }
    assert.equal(found, "issuer");
    assert.equal(await principal("/issuer", bearer(old)), 401);

    provider.answer = (_, response) => json(response, jwks);
    found = 401;
    while (found === 401 && performance.now() < until) {
      found = await principal("/issuer", bearer(old));
    }
    assert.equal(found, "issuer");
  });

  it("answers 503 while keys cannot be fetched, and says so once in the log", async () => {
    for (let n = 0; n < 5; n++) {
      const response = await worker.fetch("/away", { headers: bearer(await token()) });
      const { code } = await response.json();
      assert.equal(response.status, 503);
      assert.equal(code, "REQUEST_AUTHENTICATION_UNAVAILABLE");
      assert.match(response.headers.get("retry-after") ?? "", /^\d+$/);
    }
    assert.equal(await principal("/away"), 401);
    assert.equal(await principal("/away-or-key", { "X-API-Key": keys.reader }), "reader");
    const said = worker.log.split("\n").filter((line) => line.includes("cannot be fetched"));
    assert.equal(said.length, 1, said.join("\n"));
    assert.match(said[0]!, /"name":"away"/);
  });

  it("takes certificates that a trusted proxy passes on", async () => {
    assert.equal(await principal("/certificate", { "Client-Cert": certificate }), "crm");
    const other = await clientCertificateField("crm-client2");
    assert.equal(await principal("/certificate", { "Client-Cert": other }), 401);
    assert.equal(await principal("/certificate", { "Client-Cert": ":AAAA:" }), 401);
    assert.equal(await principal("/certificate"), 401);
  });

  it("takes no certificate from whoever is no trusted proxy", async () => {
    await using open = await WorkerProcess.start({ trustedProxies: ["10.0.0.9"] });
    await open.configure({
      upserted: [
        await sealed("ClientCertificate", "crm", { subject: { CN: "crm-client" } }),
        channel("/certificate", "who", { security: ["crm"] }),
      ],
      bundles: [await open.bundle("who.ts", services)],
    });

    const headers = { "Client-Cert": certificate };
    assert.equal((await open.fetch("/certificate", { headers })).status, 401);
  });

  it("lets in whom a group knows, with the roles that channels ask for", async () => {
    const bo = { Authorization: `Basic ${btoa("bo:secret-of-bo")}` };
    const reader = { "X-API-Key": keys.reader };
    const cert = { "Client-Cert": certificate };
    const ana = bearer(await token());
    const nobody = bearer(await token({ roles: "guest" }));
    const expected: readonly [string, Record<string, string>, unknown][] = [
      ["/group", bo, "bo"],
      ["/group", reader, "reader"],
      ["/group", cert, "crm"],
      ["/group", ana, "issuer"],
      ["/group", nobody, "issuer"],
      ["/group", {}, 401],
      ["/readers", reader, "reader"],
      ["/readers", ana, "issuer"],
      ["/readers", bo, 403],
      ["/readers", cert, 403],
      ["/readers", nobody, 403],
      ["/readers", {}, 401],
      ["/writers", bo, "bo"],
      ["/writers", cert, "crm"],
      ["/writers", reader, 403],
      ["/writers", ana, 403],
    ];
    for (const [path, headers, outcome] of expected) {
      assert.equal(await principal(path, headers), outcome, `${path} ${Object.keys(headers)}`);
    }
  });

  it("says neither why it refuses nor what would do", async () => {
    const forbidden = await worker.fetch("/writers", { headers: { "X-API-Key": keys.reader } });
    const { cid: _, ...problem } = await forbidden.json();
    assert.deepEqual(problem, {
      title: "Forbidden",
      status: 403,
      detail: "These credentials do not give access to this channel",
      code: "REQUEST_FORBIDDEN",
    });
    assert.equal(forbidden.headers.get("www-authenticate"), null);

    const refused = await worker.fetch("/group");
    await refused.body?.cancel();
    assert.equal(
      refused.headers.get("www-authenticate"),
      'Basic realm="dragoman", charset="UTF-8", Bearer, ClientCertificate, ApiKey',
    );
  });

  it("answers every hostile token alike, and lives on", async () => {
    const good = await token();
    const [head, payload, signature] = good.split(".");
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: "https://issuer", exp: 9_999_999_999 };
    const tokens = [
      ...["none", "None", "HS256", "HS512", "RS512", "PS256", "ES256", "EdDSA", ""].flatMap((
        alg,
      ) => [
        `${encode({ alg })}.${encode(claims)}.`,
        `${encode({ alg, kid: "one" })}.${payload}.${signature}`,
        `${encode({ alg, kid: "../one" })}.${encode(claims)}.${signature}`,
      ]),
      ...Array.from({ length: 60 }, (_, n) => `${head}.${payload}.${signature?.slice(0, n * 5)}`),
      ...Array.from({ length: 60 }, (_, n) => good.slice(0, n * 7)),
      `${head}.${encode({ ...claims, sub: "eve" })}.${signature}`,
      await token({ iss: "https://evil" }),
      await token({}, { kid: "unknown" }),
      await token({ nbf: 9_999_999_999 }),
      await token({ pad: "x".repeat(30_000) }).then((text) => text.slice(0, 9_000)),
    ];
    const bodies = new Set<string>();
    for (const text of tokens) {
      const response = await worker.fetch("/issuer", { headers: bearer(text) });
      const { cid: _, ...problem } = await response.json();
      if (problem.status === 401) bodies.add(JSON.stringify(problem));
      else assert.fail(`${response.status} for ${text.slice(0, 80)}`);
    }
    assert.equal(bodies.size, 1);
    assert.ok(tokens.length > 140);
    assert.equal(await principal("/issuer", bearer(good)), "issuer");
  });

  it("keeps its answer when a definition of a group is broken", async () => {
    const broken = { ...await sealed("ApiKey", "broken", { key: "broken-key-0123456789" }) };
    const { failures } = await worker.configure({
      upserted: [
        { ...broken, spec: { ...broken.spec, key: "dragoman:hmac:00000000:x" } },
        { ...await sealed("SecurityGroup", "all", { members: ["broken", "reader"] }), revision: 2 },
      ],
      bundles: [await worker.bundle("who.ts", services)],
    });

    assert.deepEqual(failures.map(({ name }) => name), ["broken"]);
    assert.equal(await principal("/group", { "X-API-Key": keys.reader }), "reader");
    assert.equal(await principal("/group", { "X-API-Key": "broken-key-0123456789" }), 401);
    assert.equal(await principal("/group", bearer(await token())), 401);
  });

  it("never writes a credential into its log", async () => {
    const texts = [keys.query, keys.reader, "secret-of-bo", btoa("bo:secret-of-bo"), secret];
    const parts = (await token()).split(".");
    for (const text of [...texts, parts[0]!, certificate.slice(1, 60), "broken-key"]) {
      assert.ok(!worker.log.includes(text), text.slice(0, 12));
    }
    assert.ok(
      worker.log.includes("REQUEST_UNAUTHORIZED") || worker.log.includes("Request refused"),
    );
  });
});
