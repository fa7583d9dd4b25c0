import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generatePassword, generateToken } from "./random-secret.ts";

describe("Random secrets", () => {
  it("for people are four groups of characters that cannot be mistaken for one another", () => {
    const passwords = Array.from({ length: 200 }, generatePassword);

    for (const password of passwords) {
      assert.match(password, /^([a-km-np-zA-HJ-NP-Z2-9]{5}-){3}[a-km-np-zA-HJ-NP-Z2-9]{5}$/);
    }
    assert.equal(new Set(passwords).size, passwords.length);
    // Every character of the alphabet turns up: 4,000 draws from 56.
    assert.equal(new Set(passwords.join("").replaceAll("-", "")).size, 56);
  });

  it("for machines have the bytes asked for, in characters safe in URLs", () => {
    assert.match(generateToken(), /^[\w-]{43}$/);
    assert.match(generateToken(16), /^[\w-]{22}$/);
    assert.notEqual(generateToken(), generateToken());
  });
});
