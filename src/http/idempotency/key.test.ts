import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keyId, mayHaveKey, parseKey } from "./key.ts";

describe("An idempotency key", () => {
  it("is a string of RFC 8941, or the same without quotation marks", () => {
    assert.equal(parseKey('"8e03978e-40d5"'), "8e03978e-40d5");
    assert.equal(parseKey("8e03978e-40d5"), "8e03978e-40d5");
    assert.equal(parseKey('  "a b, c"  '), "a b, c");
    assert.equal(parseKey('"say \\"so\\", \\\\"'), 'say "so", \\');
  });

  for (
    const header of [
      "",
      " ",
      '""',
      '"',
      '"a',
      'a"',
      '"a"b',
      '"a", "b"',
      "a,b",
      "a b",
      '"a";p=1',
      '"\\a"',
      "\u00e4",
      "a\u0000",
      "a\r\nb",
      '"\u0007"',
    ]
  ) {
    it(`is not ${JSON.stringify(header)}`, () => {
      assert.throws(() => parseKey(header), { code: "REQUEST_KEY_INVALID" });
    });
  }

  it("has 255 characters at most, however they are written", () => {
    assert.equal(parseKey("k".repeat(255)).length, 255);
    assert.equal(parseKey(`"${"\\\\".repeat(255)}"`).length, 255);
    assert.throws(() => parseKey("k".repeat(256)), /it has 256 characters, and 255 is the limit/);
    assert.throws(() => parseKey("k".repeat(100_000)), { code: "REQUEST_KEY_INVALID" });
  });

  it("is told apart by channel and client", () => {
    const channel = { kind: "RestChannel", name: "orders" };
    const ana = { kind: "Jwt", name: "staff", subject: "ana", roles: [] };
    const ids = [
      keyId(channel, undefined, "k"),
      keyId({ ...channel, kind: "SoapChannel" }, undefined, "k"),
      keyId({ ...channel, name: "orders2" }, undefined, "k"),
      keyId(channel, ana, "k"),
      keyId(channel, { ...ana, subject: "bob" }, "k"),
      keyId(channel, { ...ana, kind: "ApiKey" }, "k"),
      keyId(channel, ana, "k2"),
    ];

    assert.equal(new Set(ids).size, ids.length);
    assert.equal(keyId(channel, { ...ana, roles: ["admin"] }, "k"), ids[3]);
  });

  it("means nothing where nothing changes", () => {
    assert.deepEqual(["GET", "HEAD", "OPTIONS"].filter(mayHaveKey), []);
    assert.deepEqual(["POST", "PUT", "PATCH", "DELETE"].filter((name) => !mayHaveKey(name)), []);
  });
});
