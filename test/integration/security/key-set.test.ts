import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "node:test";
import { isPlatformError } from "../../../src/errors/platform-error.ts";
import { poll } from "../../../src/lib/wait.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { KeySet, type KeySetOptions } from "../../../src/security/jwt/key-set.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { json, Provider } from "./provider.ts";

const pairs = Object.fromEntries(
  ["a", "b", "c"].map((kid) => [kid, generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey]),
);

function jwk(kid: string | undefined, publicKey: KeyObject): Record<string, unknown> {
  const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
  return { kty, crv, x, y, alg: "ES256", use: "sig", ...(kid === undefined ? {} : { kid }) };
}

const keysOf = (...kids: string[]) => ({ keys: kids.map((kid) => jwk(kid, pairs[kid]!)) });

describe("The keys that an issuer publishes", () => {
  let provider: Provider;
  let log: string[];
  let clock: number;

  beforeEach(async () => {
    provider = await Provider.start((_, response) => json(response, keysOf("a")));
    log = [];
    clock = 1_000_000;
  });
  afterEach(() => provider[Symbol.asyncDispose]());

  function open(options: Partial<KeySetOptions> = {}): KeySet {
    return new KeySet({
      url: provider.url,
      maxAgeMs: 3_600_000,
      cooldownMs: 30_000,
      logger: createLogger({ level: "debug", write: (line) => log.push(line) }),
      now: () => clock,
      ...options,
    });
  }

  const find = async (keys: KeySet, kid?: string) =>
    (await keys.find({ alg: "ES256", ...(kid === undefined ? {} : { kid }) })).length;

  const isUnavailable = (error: unknown) =>
    isPlatformError(error, "REQUEST_AUTHENTICATION_UNAVAILABLE");

  it("are fetched once, however many ask at the same time", async () => {
    const keys = open();
    const found = await Promise.all(Array.from({ length: 20 }, () => find(keys, "a")));

    assert.ok(found.every((count) => count === 1));
    assert.equal(provider.requests.length, 1);
  });

  it("are fetched anew for an unknown name, but no more often than the cooldown", async () => {
    const keys = open();
    await find(keys, "a");
    provider.answer = (_, response) => json(response, keysOf("a", "b"));

    assert.equal(await find(keys, "b"), 0);
    clock += 30_001;
    assert.equal(await find(keys, "b"), 1);
    const flood = Array.from({ length: 200 }, (_, index) => find(keys, `made-up-${index}`));
    assert.ok((await Promise.all(flood)).every((count) => count === 0));
    assert.equal(provider.requests.length, 2);
  });

  it("change their version when they rotate, and only then", async () => {
    const keys = open();
    await find(keys, "a");
    const { version } = keys;
    clock += 30_001;
    await find(keys, "x");
    assert.equal(keys.version, version);

    provider.answer = (_, response) => json(response, keysOf("b"));
    clock += 30_001;
    assert.equal(await find(keys, "b"), 1);
    assert.notEqual(keys.version, version);
    assert.equal(await find(keys, "a"), 0);
  });

  it("are fetched anew in the background when they are old", async () => {
    const keys = open();
    await find(keys, "a");
    provider.answer = (_, response) => json(response, keysOf("c"));
    clock += 3_600_001;
    keys.refresh();
    keys.refresh();

    assert.equal(await find(keys, "a"), 1); // nobody waits for the new ones
    await poll(() => keys.version === 2 || undefined, { timeoutMs: 5_000, intervalMs: 5 });
    assert.equal(await find(keys, "c"), 1);
    assert.equal(provider.requests.length, 2);
  });

  it("are kept while the issuer is away, which is said once", async () => {
    const keys = open();
    await find(keys, "a");
    provider.answer = (_, response) => response.destroy();
    for (let round = 0; round < 5; round++) {
      clock += 3_600_001;
      assert.equal(await find(keys, "unknown"), 0);
      assert.equal(await find(keys, "a"), 1);
    }
    const warnings = log.filter((line) => line.includes("cannot be fetched"));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /the ones before/);

    provider.answer = (_, response) => json(response, keysOf("a", "b"));
    clock += 3_600_001;
    assert.equal(await find(keys, "b"), 1);
    assert.ok(log.some((line) => line.includes("can be fetched again")));
  });

  it("that were never fetched make nobody unauthorized, only unavailable", async () => {
    const url = `http://127.0.0.1:${await findFreePort()}`;
    const keys = open({ url });

    for (let round = 0; round < 3; round++) await assert.rejects(find(keys, "a"), isUnavailable);
    clock += 30_001;
    await assert.rejects(find(keys, "a"), isUnavailable);
    assert.equal(log.length, 1);
    assert.match(log[0]!, /none yet/);
  });

  it("come late from a slow issuer, which holds nobody longer than the limit", async () => {
    provider.answer = () => {}; // takes the request, and says nothing
    const keys = open({ timeoutMs: 50 });
    await assert.rejects(find(keys, "a"), isUnavailable);
    assert.match(log[0]!, /no answer within 50 ms/);

    provider.answer = (_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.write("{"); // and stops in the middle
    };
    clock += 1_001;
    await assert.rejects(find(keys, "a"), isUnavailable);
  });

  const wrong: readonly [string, number, string][] = [
    ["a status of 500", 500, JSON.stringify(keysOf("a"))],
    ["a status of 204", 204, ""],
    ["no JSON", 200, "<html>"],
    ["a list", 200, "[]"],
    ["no keys", 200, "{}"],
    ["an empty list of keys", 200, '{"keys":[]}'],
    ["keys that are none", 200, '{"keys":[1,null]}'],
    ["half a body", 200, '{"keys":[{"kty":'],
    ["too many keys", 200, JSON.stringify({ keys: Array(101).fill(keysOf("a").keys[0]) })],
    ["too large a body", 200, JSON.stringify({ ...keysOf("a"), padding: "x".repeat(1_100_000) })],
  ];
  for (const [name, status, body] of wrong) {
    it(`are not taken from an answer with ${name}`, async () => {
      provider.answer = (_, response) => response.writeHead(status).end(body);
      await assert.rejects(find(open(), "a"), isUnavailable);
    });
  }

  it("are not taken from where a redirect leads", async () => {
    await using other = await Provider.start((_, response) => json(response, keysOf("a")));
    provider.answer = (_, response) => response.writeHead(302, { Location: other.url }).end();

    await assert.rejects(find(open(), "a"), isUnavailable);
    assert.equal(other.requests.length, 0);
  });

  it("are all tried for a token that names none", async () => {
    provider.answer = (_, response) => json(response, keysOf("a", "b"));
    assert.equal(await find(open()), 2);
  });

  it("never hold a secret or a broken key", async () => {
    const symmetric = { kty: "oct", kid: "s", k: "c2VjcmV0", alg: "ES256" };
    const broken = { kty: "EC", kid: "broken", crv: "P-256", alg: "ES256" };
    provider.answer = (_, response) => json(response, { keys: [symmetric, broken] });
    const keys = open();

    assert.equal(await find(keys, "s"), 0);
    assert.equal(await find(keys, "broken"), 0);
  });
});
