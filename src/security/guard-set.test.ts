import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Kind, StoredObject } from "../catalog/kind.ts";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { silentLogger } from "../telemetry/logger.ts";
import { apiKey } from "./api-key.ts";
import type { SecuredMessage, SecurityRequest } from "./authenticator.ts";
import { basicAuth } from "./basic-auth.ts";
import { generateClusterKey, parseClusterKey } from "./cluster-key.ts";
import { compileGuard, type Guard } from "./guard.ts";
import { GuardSource } from "./guard-set.ts";
import type { Principal } from "./principal.ts";
import { sealSpec } from "./secrets.ts";
import { securityGroup } from "./security-group.ts";

const key = parseClusterKey(generateClusterKey());
const at = "2026-01-01T00:00:00.000Z";

async function sealed(
  // A kind of a narrower schema takes narrower specs; sealing only walks its fields.
  kind: Pick<Kind, "kind" | "schema">,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<StoredObject> {
  const valid = kind.schema.parse(spec);
  const kept = await sealSpec(kind as Kind, valid, { key, name });
  return {
    kind: kind.kind,
    name,
    spec: kept,
    revision: 1,
    createdAt: at,
    updatedAt: at,
    updatedBy: "test",
  };
}

function request(
  headers: Record<string, string> = {},
  query: Record<string, string> = {},
): SecurityRequest {
  return {
    headers: new Headers(headers),
    remoteAddress: "203.0.113.7",
    query: (name) => query[name],
    clientCertificate: () => undefined,
  };
}

async function guardOf(
  source: GuardSource,
  objects: readonly StoredObject[],
  names: readonly string[],
): Promise<Guard> {
  const definitions = await Promise.all(objects.map((object) => source.prepare(object)));
  return source.guards(definitions).guard(names)!; // names are not "none"
}

function basic(username: string, password: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
}

const firstKey = "first-key-0123456789";
const secondKey = "second-key-0123456789";
const source = () => new GuardSource({ key, logger: silentLogger });

describe("A guard of keys", () => {
  it("takes a key from the place that its definition names, and from no other", async () => {
    const guard = await guardOf(source(), [
      await sealed(apiKey, "default", { key: firstKey }),
      await sealed(apiKey, "asked", { key: secondKey, query: "api_key" }),
    ], ["default", "asked"]);

    const name = async (one: SecurityRequest) => (await guard.check(one))?.name;
    assert.equal(await name(request({ "x-api-key": firstKey })), "default");
    assert.equal(await name(request({}, { api_key: secondKey })), "asked");
    assert.equal(await name(request({ "x-api-key": secondKey })), undefined);
    assert.equal(await name(request({}, { api_key: firstKey })), undefined);
    assert.equal(await name(request({}, { "x-api-key": firstKey })), undefined);
    assert.deepEqual(guard.queryNames, ["api_key"]);
  });

  it("refuses a definition that names both places", () => {
    const result = apiKey.schema.safeParse({ header: "X-Key", query: "key", key: firstKey });
    assert.deepEqual(result.error?.issues.map(({ path }) => path), [["query"]]);
  });
});

describe("A security group", () => {
  it("lets in whomever a member, or a member of one, lets in, with all roles", async () => {
    const objects = [
      await sealed(apiKey, "one", { key: firstKey, roles: ["reader"] }),
      await sealed(basicAuth, "two", { username: "ana", password: "secret" }),
      await sealed(securityGroup, "inner", { members: ["two"], roles: ["inside"] }),
      await sealed(securityGroup, "outer", { members: ["one", "inner"], roles: ["partner"] }),
    ];
    const guard = await guardOf(source(), objects, ["outer"]);

    const expected: Principal = { kind: "ApiKey", name: "one", roles: ["partner", "reader"] };
    assert.deepEqual(await guard.check(request({ "x-api-key": firstKey })), expected);
    const nested = await guard.check(request(basic("ana", "secret")));
    assert.deepEqual(nested, { kind: "BasicAuth", name: "two", roles: ["inside", "partner"] });
    assert.equal(await guard.check(request({ "x-api-key": secondKey })), undefined);
  });

  it("gives its roles only to those who come through it", async () => {
    const objects = [
      await sealed(apiKey, "one", { key: firstKey }),
      await sealed(securityGroup, "group", { members: ["one"], roles: ["partner"] }),
    ];

    const direct = await guardOf(source(), objects, ["one"]);
    assert.deepEqual((await direct.check(request({ "x-api-key": firstKey })))?.roles, []);
  });

  it("goes on without members that are missing, and lets nobody in without any", async () => {
    const objects = [
      await sealed(apiKey, "one", { key: firstKey }),
      await sealed(securityGroup, "group", { members: ["one", "missing"] }),
      await sealed(securityGroup, "empty", { members: ["missing"] }),
    ];

    const guard = await guardOf(source(), objects, ["group"]);
    assert.equal((await guard.check(request({ "x-api-key": firstKey })))?.name, "one");
    const empty = await guardOf(source(), objects, ["empty"]);
    assert.equal(await empty.check(request({ "x-api-key": firstKey })), undefined);
  });

  it("ends where groups hold each other", async () => {
    const objects = [
      await sealed(apiKey, "one", { key: firstKey }),
      await sealed(securityGroup, "a", { members: ["b"], roles: ["ra"] }),
      await sealed(securityGroup, "b", { members: ["a", "one"], roles: ["rb"] }),
    ];

    const guard = await guardOf(source(), objects, ["a"]);
    const { roles } = (await guard.check(request({ "x-api-key": firstKey })))!;
    assert.deepEqual(roles, ["ra", "rb"]);
  });

  it("is refused when it would contain itself", () => {
    const others = [
      { name: "b", spec: { members: ["c"] } },
      { name: "c", spec: { members: ["key", "a"] } },
    ];
    assert.match(securityGroup.conflict!({ members: ["b"] }, others, "a")!, /contain itself/);
    assert.match(securityGroup.conflict!({ members: ["a"] }, [], "a")!, /contain itself/);
    assert.equal(securityGroup.conflict!({ members: ["b"] }, others, "d"), undefined);
  });

  it("of 10,000 keys finds each by one look-up", async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `key-number-${index}-0123456789`);
    const objects = await Promise.all(
      keys.map((one, index) => sealed(apiKey, `key${index}`, { key: one })),
    );
    const members = objects.map(({ name }) => name);
    const group = await sealed(securityGroup, "group", { members, roles: ["partner"] });
    const guard = await guardOf(source(), [...objects, group], ["group"]);

    for (const index of [0, 4_999, 9_999]) {
      const principal = guard.check(request({ "x-api-key": keys[index]! }));
      assert.deepEqual(principal, { kind: "ApiKey", name: `key${index}`, roles: ["partner"] });
    }
    assert.equal(guard.check(request({ "x-api-key": "no-such-key-0123456789" })), undefined);
  });
});

describe("The guards of one configuration after another", () => {
  it("are the same where nothing changed, and others where a member did", async () => {
    const guards = source();
    const one = await sealed(apiKey, "one", { key: firstKey });
    const two = await sealed(apiKey, "two", { key: secondKey });
    const before = await guardOf(guards, [one, two], ["one", "two"]);

    assert.equal(await guardOf(guards, [one, two], ["one", "two"]), before);
    const changed = await sealed(apiKey, "two", { key: secondKey, roles: ["new"] });
    const after = await guardOf(guards, [one, changed], ["one", "two"]);
    assert.notEqual(after, before);
    assert.deepEqual((await after.check(request({ "x-api-key": secondKey })))?.roles, ["new"]);
  });

  it("refuse a channel that names what is missing", () => {
    assert.throws(
      () => source().guards([]).guard(["missing"]),
      (error) => isPlatformError(error, "CHANNEL_UNUSABLE"),
    );
  });
});

describe("A guard of several kinds", () => {
  const ana: Principal = { kind: "Test", name: "ana", roles: [] };
  const busy = new PlatformError("REQUEST_AUTHENTICATION_BUSY");
  const failing = { check: () => Promise.reject(busy) };
  const throwing = {
    check() {
      throw busy;
    },
  };

  it("lets in whom one check knows although another one cannot say", async () => {
    const knowing = { check: () => ana };
    for (const list of [[failing, knowing], [throwing, knowing], [knowing, failing]]) {
      assert.equal(await compileGuard(list).check(request()), ana);
    }
  });

  it("says that it cannot say, when nobody else knows the client", async () => {
    const unknowing = { check: () => undefined };
    for (const list of [[failing, unknowing], [unknowing, failing], [failing]]) {
      await assert.rejects(async () => await compileGuard(list).check(request()), busy);
    }
    assert.throws(() => compileGuard([throwing, unknowing]).check(request()), busy);
  });

  it("asks checks of messages only for messages", async () => {
    const message: SecuredMessage = {
      envelope: { name: "e", namespace: "", attributes: [], children: [], declarations: new Map() },
      text: "<e/>",
    };
    const guard = compileGuard([
      { challenges: ["ApiKey"], check: () => undefined },
      { checkMessage: ({ text }) => text === "<e/>" ? ana : undefined },
    ]);

    assert.equal(guard.needsMessage, true);
    assert.equal(await guard.check(request()), undefined);
    assert.equal(await guard.checkMessage(message, request()), ana);
    assert.equal(await guard.checkMessage({ ...message, text: "" }, request()), undefined);
    assert.equal(compileGuard([failing]).needsMessage, false);
  });
});
