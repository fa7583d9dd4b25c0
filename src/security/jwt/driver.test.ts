import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { describe, it } from "node:test";
import { exportJWK, SignJWT } from "jose";
import type { Kind, StoredObject } from "../../catalog/kind.ts";
import { createLogger } from "../../telemetry/logger.ts";
import type { SecurityRequest } from "../authenticator.ts";
import { generateClusterKey, parseClusterKey } from "../cluster-key.ts";
import type { Guard } from "../guard.ts";
import { GuardSource } from "../guard-set.ts";
import type { Principal } from "../principal.ts";
import { sealSpec } from "../secrets.ts";
import { jwt } from "./index.ts";
import { TokenVerifier } from "./token-verifier.ts";

const key = parseClusterKey(generateClusterKey());
const secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const otherRsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
const ed25519 = generateKeyPairSync("ed25519");
const rsaPem = String(rsa.publicKey.export({ type: "spki", format: "pem" }));

async function object(spec: Readonly<Record<string, unknown>>): Promise<StoredObject> {
  const valid = jwt.schema.parse(spec);
  const kind: Pick<Kind, "kind" | "schema"> = jwt;
  const name = "tokens";
  const kept = await sealSpec(kind as Kind, valid, { key, name }); // sealing only walks its fields
  const at = "2026-01-01T00:00:00.000Z";
  return {
    kind: "Jwt",
    name,
    spec: kept,
    revision: 1,
    createdAt: at,
    updatedAt: at,
    updatedBy: "test",
  };
}

const log: string[] = [];
const logger = createLogger({ level: "debug", write: (line) => log.push(line) });

async function guardOf(spec: Readonly<Record<string, unknown>>): Promise<Guard> {
  const source = new GuardSource({ key, logger });
  const definition = await source.prepare(await object(spec));
  return source.guards([definition]).guard(["tokens"])!; // names are not "none"
}

function request(authorization?: string): SecurityRequest {
  return {
    headers: new Headers(authorization === undefined ? {} : { Authorization: authorization }),
    remoteAddress: "203.0.113.7",
    query: () => undefined,
    clientCertificate: () => undefined,
  };
}

async function ask(guard: Guard, token: string): Promise<Principal | undefined> {
  return await guard.check(request(`Bearer ${token}`));
}

const now = () => Math.floor(Date.now() / 1_000);
const goodClaims = () => ({ sub: "ana", iss: "https://issuer", aud: "api", exp: now() + 600 });

interface Signing {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Signs whatever it is given, as a hostile client would. */
function rawToken(
  header: unknown,
  payload: unknown,
  makeSignature: (input: string) => Uint8Array,
): string {
  const encode = (value: unknown) =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${Buffer.from(makeSignature(input)).toString("base64url")}`;
}

const byRsa = (input: string) => sign("sha256", Buffer.from(input), rsa.privateKey);
const bySecret = (hmacKey: string | Uint8Array, hash = "sha256") => (input: string) =>
  createHmac(hash, hmacKey).update(input).digest();

function rsaToken({ header = {}, claims = {} }: Signing = {}): string {
  return rawToken({ alg: "RS256", ...header }, { ...goodClaims(), ...claims }, byRsa);
}

const strict = { issuer: "https://issuer", audience: "api", clockSkewSeconds: 5 };

describe("A Jwt definition", () => {
  const algorithms: readonly [string, KeyObject, Readonly<Record<string, unknown>>][] = [
    ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const).map(
      (alg) => [alg, rsa.privateKey, { publicKey: rsaPem }] as const,
    ),
    ["ES256", p256.privateKey, { publicKey: pem(p256.publicKey) }],
    ["ES384", p384.privateKey, { publicKey: pem(p384.publicKey) }],
    ["EdDSA", ed25519.privateKey, { publicKey: pem(ed25519.publicKey) }],
  ].map(([alg, signer, spec]) =>
    [alg, signer, spec] as [string, KeyObject, Record<string, unknown>]
  );
  for (const [alg, signer, spec] of algorithms) {
    it(`takes tokens signed with ${alg}, and none of another key`, async () => {
      const guard = await guardOf({ ...strict, algorithms: [alg], ...spec });
      const token = await new SignJWT(goodClaims()).setProtectedHeader({ alg }).sign(signer);

      assert.equal((await ask(guard, token))?.subject, "ana");
      assert.equal((await ask(guard, token))?.subject, "ana");
      assert.equal(await ask(guard, tampered(token)), undefined);
    });
  }

  for (const [alg, hash] of [["HS256", "sha256"], ["HS384", "sha384"], ["HS512", "sha512"]]) {
    it(`takes tokens signed with ${alg}`, async () => {
      const guard = await guardOf({ ...strict, algorithms: [alg], secret });
      const token = rawToken({ alg }, goodClaims(), bySecret(secret, hash));

      assert.equal((await ask(guard, token))?.subject, "ana");
      assert.equal(await ask(guard, tampered(token)), undefined);
    });
  }

  it("takes a public key as a JSON Web Key", async () => {
    const publicKey = JSON.stringify(await exportJWK(p256.publicKey));
    const guard = await guardOf({ algorithms: ["ES256"], publicKey });
    const token = await new SignJWT(goodClaims()).setProtectedHeader({ alg: "ES256" })
      .sign(p256.privateKey);

    assert.equal((await ask(guard, token))?.subject, "ana");
  });

  it("reads subject, roles and claims from where it says", async () => {
    const guard = await guardOf({
      ...strict,
      algorithms: ["RS256"],
      publicKey: rsaPem,
      subjectClaim: "user.name",
      rolesClaim: "https://example.com/roles",
    });
    const claims = { user: { name: "bo" }, "https://example.com/roles": ["reader", 7, "writer"] };
    const principal = await ask(guard, rsaToken({ claims }));

    assert.deepEqual([principal?.kind, principal?.name], ["Jwt", "tokens"]);
    assert.equal(principal?.subject, "bo");
    assert.deepEqual(principal?.roles, ["reader", "writer"]);
    assert.equal(principal?.claims?.["sub"], "ana");
  });

  it("reads roles from words and along a path", async () => {
    const spec = { algorithms: ["RS256"], publicKey: rsaPem };
    const words = await guardOf({ ...spec, rolesClaim: "scope" });
    const path = await guardOf({ ...spec, rolesClaim: "realm_access.roles" });
    const token = rsaToken({ claims: { scope: "a b", realm_access: { roles: ["c"] } } });

    assert.deepEqual((await ask(words, token))?.roles, ["a", "b"]);
    assert.deepEqual((await ask(path, token))?.roles, ["c"]);
  });

  it("forgives the issuer's clock as much as it says, also for a token it remembers", async () => {
    const guard = await guardOf({ ...strict, algorithms: ["RS256"], publicKey: rsaPem });

    assert.ok(await ask(guard, rsaToken({ claims: { exp: now() - 2 } })));
    assert.equal(await ask(guard, rsaToken({ claims: { exp: now() - 60 } })), undefined);
    assert.ok(await ask(guard, rsaToken({ claims: { nbf: now() + 2 } })));
  });

  it("gives every request the same roles and claims, whatever services do to them", async () => {
    const guard = await guardOf({
      algorithms: ["RS256"],
      publicKey: rsaPem,
      rolesClaim: "realm.roles",
    });
    const token = rsaToken({ claims: { realm: { roles: ["reader"] } } });
    // As a service in plain JavaScript would, which types do not hold back.
    const first = await ask(guard, token) as unknown as {
      roles: string[];
      claims: { realm: { roles: string[] } };
    };

    assert.throws(() => first.claims.realm.roles.push("admin"), TypeError);
    first.roles.push("admin");
    assert.deepEqual((await ask(guard, token))?.roles, ["reader"]);
  });

  it("forgets a token when it expires", async (context) => {
    const rules = { algorithms: ["RS256"], clockSkewSeconds: 5 };
    const verifier = new TokenVerifier(rsa.publicKey, rules);
    await verifier.verify(rsaToken(), "digest");

    const start = Date.now();
    context.mock.method(Date, "now", () => start + 603_000);
    assert.equal(verifier.remembered("digest")?.claims["sub"], "ana");
    context.mock.method(Date, "now", () => start + 606_000);
    assert.equal(verifier.remembered("digest"), undefined);
  });
});

function pem(publicKey: KeyObject): string {
  return String(publicKey.export({ type: "spki", format: "pem" }));
}

function tampered(token: string): string {
  const [header, , signature] = token.split(".");
  const payload = Buffer.from(JSON.stringify({ ...goodClaims(), sub: "eve" })).toString(
    "base64url",
  );
  return `${header}.${payload}.${signature}`;
}

/** Tokens, and headers, that nobody may be let in with. Each with a fresh time. */
function hostileTokens(): [string, string][] {
  const good = rsaToken();
  const [head, payload, signature] = good.split(".") as [string, string, string];
  const none = (input: string) => (void input, new Uint8Array());
  const rsaJwk = rsa.publicKey.export({ format: "jwk" });
  const evilJwk = otherRsa.publicKey.export({ format: "jwk" });
  const byOther = (input: string) => sign("sha256", Buffer.from(input), otherRsa.privateKey);
  const list: [string, string][] = [];
  const add = (name: string, token: string) => list.push([name, token]);

  for (const alg of ["none", "None", "NONE", "nOnE", "", " none", "null"]) {
    add(`alg "${alg}" without a signature`, rawToken({ alg }, goodClaims(), none));
    add(`alg "${alg}" with a signature`, rawToken({ alg }, goodClaims(), byRsa));
  }
  for (const alg of [null, 0, true, [], ["RS256"], {}, { toString: "RS256" }]) {
    add(`alg ${JSON.stringify(alg)}`, rawToken({ alg }, goodClaims(), byRsa));
  }
  add("no alg", rawToken({ typ: "JWT" }, goodClaims(), byRsa));
  for (
    const hmacKey of [rsaPem, rsaPem.trim(), rsaPem.replaceAll("\n", ""), JSON.stringify(rsaJwk)]
  ) {
    for (const [alg, hash] of [["HS256", "sha256"], ["HS384", "sha384"], ["HS512", "sha512"]]) {
      add(
        `${alg} with the public key as secret`,
        rawToken({ alg }, goodClaims(), bySecret(hmacKey, hash)),
      );
    }
  }
  const der = rsa.publicKey.export({ type: "spki", format: "der" });
  add("HS256 with the key's DER", rawToken({ alg: "HS256" }, goodClaims(), bySecret(der)));
  add("HS256 with an empty secret", rawToken({ alg: "HS256" }, goodClaims(), bySecret("")));
  add("RS256 signed as HMAC", rawToken({ alg: "RS256" }, goodClaims(), bySecret(rsaPem)));
  for (
    const alg of ["RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", "RS256 ", "RSA-OAEP", "dir"]
  ) {
    add(`alg ${alg}, which is not allowed`, rawToken({ alg }, goodClaims(), byRsa));
  }
  add("another key", rawToken({ alg: "RS256" }, goodClaims(), byOther));
  const embedded: readonly Record<string, unknown>[] = [
    { jwk: evilJwk },
    { jku: "http://127.0.0.1:9/keys" },
    { x5u: "http://127.0.0.1:9/cert" },
    { x5c: ["MIIB"] },
    { kid: "../../../../dev/null" },
    { kid: "' OR 1=1 --" },
    { kid: "http://127.0.0.1:9/" },
    { kid: { toString: 1 } },
    { kid: "__proto__" },
    { kid: "x".repeat(5_000) },
  ];
  for (const extra of embedded) {
    const name = `another key, and ${Object.keys(extra)[0]} ${JSON.stringify(extra).slice(0, 40)}`;
    add(name, rawToken({ alg: "RS256", ...extra }, goodClaims(), byOther));
  }
  for (const crit of [["exp"], ["b64"], ["unknown"], [], "b64", [1]]) {
    const header = { alg: "RS256", crit, b64: false, unknown: 1 };
    add(`crit ${JSON.stringify(crit)}`, rawToken(header, goodClaims(), byRsa));
  }
  const claims: readonly Record<string, unknown>[] = [
    { exp: now() - 3_600 },
    { exp: 0 },
    { exp: -1 },
    { exp: String(now() + 600) },
    { exp: null },
    { exp: undefined },
    { exp: true },
    { exp: [now() + 600] },
    { exp: "Infinity" },
    { nbf: now() + 3_600 },
    { nbf: "tomorrow" },
    { iat: "never" },
    { iss: "https://other" },
    { iss: "https://issuer/" },
    { iss: "HTTPS://ISSUER" },
    { iss: ["https://issuer"] },
    { iss: undefined },
    { iss: null },
    { iss: "" },
    { aud: "other" },
    { aud: [] },
    { aud: ["other"] },
    { aud: undefined },
    { aud: null },
    { aud: "api " },
    { aud: { api: true } },
    { tenant: undefined },
  ];
  for (const extra of claims) {
    const all = { tenant: 1, ...goodClaims(), ...extra };
    const said = JSON.stringify(extra) === "{}"
      ? `no ${Object.keys(extra)[0]}`
      : JSON.stringify(extra);
    add(`claims with ${said}`, rawToken({ alg: "RS256" }, all, byRsa));
  }
  for (const text of ["", "null", "[]", "1", '"text"', "{", "{}x", '{"exp":}', "\u0000", "﻿{}"]) {
    add(`payload ${JSON.stringify(text)}`, rawToken({ alg: "RS256" }, text, byRsa));
    add(`header ${JSON.stringify(text)}`, rawToken(text, goodClaims(), byRsa));
  }
  add("tampered payload", tampered(good));
  add(
    "tampered header",
    `${Buffer.from('{"alg":"RS256","kid":"a"}').toString("base64url")}.${payload}.${signature}`,
  );
  add("no signature", `${head}.${payload}.`);
  add("half a signature", `${head}.${payload}.${signature.slice(0, 100)}`);
  add("a signature and more", `${head}.${payload}.${signature}AAAA`);
  add(
    "another character at the signature's start",
    `${head}.${payload}.${signature[0] === "A" ? "B" : "A"}${signature.slice(1)}`,
  );
  add("two parts", `${head}.${payload}`);
  add("one part", head);
  add("four parts", `${good}.${signature}`);
  add("five parts", `${head}.${payload}.${signature}.${payload}.${signature}`);
  add("empty parts", "..");
  add("nothing", "");
  add("standard base64", good.replaceAll("-", "+").replaceAll("_", "/") + "==");
  add("spaces inside", `${head}. ${payload}.${signature}`);
  add("a percent sign", `${head}%2E${payload}.${signature}`);
  add("two tokens", `${good}, ${good}`);
  add("a long payload", rsaToken({ claims: { padding: "x".repeat(20_000) } }));
  add("a long signature", `${head}.${payload}.${"A".repeat(20_000)}`);
  add("a long header", rawToken({ alg: "RS256", p: "x".repeat(20_000) }, goodClaims(), byRsa));
  add("deep claims", rawToken({ alg: "RS256" }, "[".repeat(8_000), byRsa));
  return list;
}

describe("A Jwt definition against hostile tokens", () => {
  const spec = { ...strict, algorithms: ["RS256"], publicKey: rsaPem, requiredClaims: ["tenant"] };

  it("takes the token that the hostile ones are made of", async () => {
    assert.ok(await ask(await guardOf(spec), rsaToken({ claims: { tenant: 1 } })));
  });

  it("lets nobody in, and says nothing of why", async () => {
    const guard = await guardOf(spec);
    const secretGuard = await guardOf({ ...strict, algorithms: ["HS256"], secret });
    const tokens = hostileTokens();
    assert.ok(tokens.length >= 100, String(tokens.length));
    for (const [name, token] of tokens) {
      assert.equal(await ask(guard, token), undefined, name);
      assert.equal(await ask(secretGuard, token), undefined, `${name} where a secret signs`);
    }
  });

  it("answers 429 to a flood of them, while known tokens go on", async () => {
    const guard = await guardOf(spec);
    const good = rsaToken({ claims: { tenant: 1 } });
    assert.ok(await ask(guard, good));
    const outcomes: unknown[] = [];
    const [head, payload, signature] = rsaToken().split(".");
    for (let n = 0; n < 1_000 && !outcomes.includes("REQUEST_TOO_MANY_ATTEMPTS"); n++) {
      const text = `${head}.${payload}.${String(n).padStart(4, "A")}${signature!.slice(4)}`;
      outcomes.push(await ask(guard, text).catch((error) => error.code));
    }

    assert.deepEqual(new Set(outcomes), new Set([undefined, "REQUEST_TOO_MANY_ATTEMPTS"]));
    assert.ok(outcomes.length > 200);
    assert.ok(await ask(guard, good));
  });

  it("checks the same one once, but one that is not valid yet again", async () => {
    const verifier = new TokenVerifier(rsa.publicKey, { ...strict, algorithms: ["RS256"] });
    await verifier.verify(tampered(rsaToken()), "tampered");
    await verifier.verify(rsaToken({ claims: { exp: 1 } }), "expired");
    const early = rsaToken({ claims: { nbf: now() + 3_600 } });
    assert.equal(await verifier.verify(early, "early"), "refused");

    assert.equal(verifier.isRefused("tampered"), true);
    assert.equal(verifier.isRefused("expired"), true);
    assert.equal(verifier.isRefused("early"), false);
  });

  it("takes only the Bearer scheme", async () => {
    const guard = await guardOf(spec);
    const token = rsaToken({ claims: { tenant: 1 } });
    for (const header of [token, `Basic ${token}`, `Bearer${token}`, `Token ${token}`, "Bearer"]) {
      assert.equal(await guard.check(request(header)), undefined, header.slice(0, 10));
    }
    assert.ok(await guard.check(request(`bearer  ${token} `)));
    assert.equal(await guard.check(request()), undefined);
    assert.equal(guard.challenge, "Bearer");
  });

  it("writes nothing of them into the log", () => {
    assert.deepEqual(log, []);
  });
});

describe("The kind Jwt", () => {
  const refused: readonly [string, Readonly<Record<string, unknown>>, string][] = [
    ["no key", { algorithms: ["RS256"] }, "publicKey"],
    ["two keys", { algorithms: ["RS256"], publicKey: rsaPem, jwksUrl: "https://a/" }, "publicKey"],
    ["HS with a public key", { algorithms: ["HS256"], publicKey: rsaPem, secret }, "algorithms"],
    ["HS beside RS", { algorithms: ["HS256", "RS256"], secret }, "algorithms"],
    ["a short secret", { algorithms: ["HS256"], secret: "short" }, "secret"],
    ["a secret too short for HS512", { algorithms: ["HS512"], secret: "x".repeat(63) }, "secret"],
    ["the algorithm none", { algorithms: ["none"], publicKey: rsaPem }, "algorithms"],
    ["no algorithm", { algorithms: [], publicKey: rsaPem }, "algorithms"],
    ["a private key", {
      algorithms: ["RS256"],
      publicKey: String(rsa.privateKey.export({ type: "pkcs8", format: "pem" })),
    }, "publicKey"],
    ["a private JSON Web Key", {
      algorithms: ["RS256"],
      publicKey: JSON.stringify(rsa.privateKey.export({ format: "jwk" })),
    }, "publicKey"],
    ["a secret as a JSON Web Key", {
      algorithms: ["RS256"],
      publicKey: '{"kty":"oct","k":"AAAA"}',
    }, "publicKey"],
    ["keys over plain HTTP", { algorithms: ["RS256"], jwksUrl: "http://example.com/" }, "jwksUrl"],
    ["a file", { algorithms: ["RS256"], jwksUrl: "file:///etc/passwd" }, "jwksUrl"],
    ["a password in the address", { algorithms: ["RS256"], jwksUrl: "https://a:b@c/" }, "jwksUrl"],
  ];
  for (const [name, spec, field] of refused) {
    it(`refuses ${name}, and quotes no key`, () => {
      const { error } = jwt.schema.safeParse(spec);
      assert.ok(error?.issues.some(({ path }) => path[0] === field), JSON.stringify(error));
      assert.doesNotMatch(String(error), /MII|"d":/);
    });
  }

  it("refuses HS algorithms for which no secret was ever given", () => {
    const spec = jwt.schema.parse({ algorithms: ["HS256"] });
    assert.match(jwt.conflict!(spec, [], "tokens")!, /secret/);
    assert.equal(jwt.conflict!({ ...spec, secret: "dragoman:aes:..." }, [], "tokens"), undefined);
  });
});
