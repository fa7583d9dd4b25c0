import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalJson, sha256Hex } from "./canonical-json.ts";

describe("canonicalJson", () => {
  it("writes equal values equally, whatever order their keys came in", () => {
    const one = { b: [{ y: 1, x: null }], a: { d: "ü", c: true } };
    const two = { a: { c: true, d: "ü" }, b: [{ x: null, y: 1 }] };

    assert.equal(canonicalJson(one), '{"a":{"c":true,"d":"ü"},"b":[{"x":null,"y":1}]}');
    assert.equal(canonicalJson(two), canonicalJson(one));
  });

  it("keeps the order of lists, drops undefined, and writes what toJSON says", () => {
    const value = { list: [2, 1], gone: undefined, at: new Date(0) };
    assert.equal(canonicalJson(value), '{"at":"1970-01-01T00:00:00.000Z","list":[2,1]}');
  });

  it("keeps a key called __proto__ as a key", () => {
    const value: unknown = JSON.parse('{"b":1,"__proto__":{"a":2}}');
    assert.equal(canonicalJson(value), '{"__proto__":{"a":2},"b":1}');
  });
});

describe("sha256Hex", () => {
  it("is SHA-256 of the UTF-8 text or of the bytes", () => {
    const wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert.equal(sha256Hex("abc"), wanted);
    assert.equal(sha256Hex(new TextEncoder().encode("abc")), wanted);
  });
});
