import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { defineKind, type Kind } from "../catalog/kind.ts";
import { isPlatformError } from "../errors/platform-error.ts";
import { generateClusterKey, keyCheck, parseClusterKey, verifyKeyCheck } from "./cluster-key.ts";
import {
  redactSpec,
  schemaWithoutSecrets,
  sealedDigest,
  sealSpec,
  secretFields,
  unsealField,
} from "./secrets.ts";

const kind: Kind = defineKind({
  kind: "Test",
  group: "outgoing",
  description: "A kind with every sort of secret",
  schema: z.strictObject({
    address: z.string(),
    password: z.string().meta({ secret: "password" }),
    token: z.string().meta({ secret: "token" }).optional(),
    login: z.string().meta({ secret: "encrypted" }).default(""),
  }),
  references: [],
});
const key = parseClusterKey(generateClusterKey());
const spec = { address: "a", password: "pass", token: "tok", login: "log: in" };
const place = { kind: "Test", name: "x", field: "login" };

describe("sealSpec", () => {
  it("knows the secret fields through their wrappers", () => {
    assert.deepEqual([...secretFields(kind)], [
      ["password", "password"],
      ["token", "token"],
      ["login", "encrypted"],
    ]);
  });

  it("replaces every secret and leaves the rest", async () => {
    const sealed = await sealSpec(kind, spec, { key, name: "x" });

    assert.equal(sealed["address"], "a");
    assert.match(String(sealed["password"]), /^dragoman:scrypt:scrypt\$/);
    assert.match(String(sealed["token"]), new RegExp(`^dragoman:hmac:${key.id}:[\\w-]{43}$`));
    assert.match(String(sealed["login"]), new RegExp(`^dragoman:aes:${key.id}:`));
    assert.equal(unsealField(place, sealed["login"], key), "log: in");
    assert.deepEqual(redactSpec(kind, sealed), { address: "a" });
    assert.doesNotMatch(JSON.stringify(sealed), /"pass"|"tok"|log: in/);
  });

  it("keeps what was sealed when the secrets are the same, or left out", async () => {
    const previous = await sealSpec(kind, spec, { key, name: "x" });

    assert.deepEqual(await sealSpec(kind, spec, { key, name: "x", previous }), previous);
    assert.deepEqual(
      await sealSpec(kind, { address: "a" }, { key, name: "x", previous }),
      previous,
    );
  });

  it("seals anew what has changed, and what another key sealed", async () => {
    const previous = await sealSpec(kind, spec, { key, name: "x" });
    const changed = { ...spec, password: "new", token: "new", login: "new" };
    const other = parseClusterKey(generateClusterKey());

    const renewed = await sealSpec(kind, changed, { key, name: "x", previous });
    const moved = await sealSpec(kind, spec, { key: other, name: "x", previous });

    for (const field of ["password", "token", "login"]) {
      assert.notEqual(renewed[field], previous[field], field);
    }
    assert.equal(moved["password"], previous["password"]); // a hash has no key
    assert.equal(unsealField(place, moved["login"], other), "log: in");
  });

  it("asks for a secret that was never set, by kind, name and field", async () => {
    await assert.rejects(
      sealSpec(kind, { address: "a" }, { key, name: "x" }),
      /Test "x": the secret field "password" is missing/,
    );
  });

  it("refuses secrets that look sealed", async () => {
    const token = `dragoman:hmac:${key.id}:abc`;
    await assert.rejects(
      sealSpec(kind, { ...spec, token }, { key, name: "x" }),
      (error) => isPlatformError(error, "SECURITY_SECRET_RESERVED"),
    );
  });

  it("offers a schema in which secrets may be left out", () => {
    const schema = schemaWithoutSecrets(kind);

    assert.ok(schema.safeParse({ address: "a" }).success);
    assert.ok(!schema.safeParse({ address: "a", other: 1 }).success);
    assert.ok(!schema.safeParse({ password: "x" }).success);
  });

  it("keeps in it how fields are checked against each other", () => {
    const checked = {
      ...kind,
      schema: kind.schema.refine(({ address }) => address !== "b", "Not b"),
    };
    const schema = schemaWithoutSecrets(checked);

    assert.ok(schema.safeParse({ address: "a" }).success);
    assert.ok(!schema.safeParse({ address: "b" }).success);
  });
});

describe("unsealField", () => {
  it("refuses values of another key, field or object, and changed ones", async () => {
    const { login, token } = await sealSpec(kind, spec, { key, name: "x" });
    const other = parseClusterKey(generateClusterKey());
    const broken = (error: unknown) => isPlatformError(error, "SECURITY_SEAL_BROKEN");
    const otherKey = (error: unknown) => isPlatformError(error, "SECURITY_KEY_OTHER");

    assert.throws(() => unsealField(place, login, other), otherKey);
    assert.throws(() => sealedDigest(place, token, other), otherKey);
    assert.throws(() => unsealField({ ...place, name: "y" }, login, key), broken);
    assert.throws(() => unsealField({ ...place, field: "z" }, login, key), broken);
    assert.throws(() => unsealField(place, `${login}AAAA`, key), broken);
    assert.throws(() => unsealField(place, "in clear", key), broken);
    assert.throws(() => unsealField(place, token, key), broken);
  });
});

describe("A cluster key", () => {
  it("is read back, with an id that tells nothing of it", () => {
    const text = generateClusterKey();

    assert.deepEqual(parseClusterKey(text), parseClusterKey(text));
    assert.match(parseClusterKey(text).id, /^[0-9a-f]{8}$/);
  });

  for (const text of ["", "short", `${generateClusterKey()}A`, "!".repeat(43)]) {
    it(`is not "${text.slice(0, 10)}", ${text.length} characters`, () => {
      assert.throws(
        () => parseClusterKey(text),
        (error) => isPlatformError(error, "SECURITY_KEY_INVALID"),
      );
    });
  }

  it("is told from another one by its check", () => {
    const check = keyCheck(key);

    assert.ok(verifyKeyCheck(check, key));
    assert.ok(!verifyKeyCheck(check, parseClusterKey(generateClusterKey())));
    assert.ok(!verifyKeyCheck("", key));
  });
});
