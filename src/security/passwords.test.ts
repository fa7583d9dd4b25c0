import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { hashPassword, verifyPassword } from "./passwords.ts";

describe("Passwords", () => {
  it("match their own hash and no other", async () => {
    const hash = await hashPassword("correct horse");

    assert.equal(await verifyPassword("correct horse", hash), true);
    for (const wrong of ["correct hors", "Correct horse", "correct horse ", ""]) {
      assert.equal(await verifyPassword(wrong, hash), false, wrong);
    }
  });

  it("are hashed with a salt of their own, and do not show in the hash", async () => {
    const [one, two] = await Promise.all([hashPassword("pw-secret"), hashPassword("pw-secret")]);

    assert.notEqual(one, two);
    assert.match(one, /^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
    assert.ok(!one.includes("pw-secret"));
  });

  it("are the same however a keyboard composes their letters", async () => {
    const hash = await hashPassword("caf\u00e9");
    assert.equal(await verifyPassword("cafe\u0301", hash), true);
  });

  it("match with the cost that the hash was made with", async () => {
    // RFC 7914, section 12, second vector with its key cut to 32 bytes: N = 1024, r = 8, p = 16.
    const key = Buffer.from(
      "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162",
      "hex",
    );
    const salt = Buffer.from("NaCl").toString("base64url");
    const hash = `scrypt$1024$8$16$${salt}$${key.toString("base64url")}`;

    assert.equal(await verifyPassword("password", hash), true);
    assert.equal(await verifyPassword("passwort", hash), false);
  });

  const salt = "AAAAAAAAAAAAAAAAAAAAAA";
  const key = "A".repeat(43);
  const malformed = [
    "",
    "plain",
    "$$$$$",
    `bcrypt$32768$8$3$${salt}$${key}`,
    `scrypt$32768$8$3$${salt}`,
    `scrypt$32768$8$3$${salt}$`,
    `scrypt$32768$8$3$${salt}$short`,
    `scrypt$32768$8$3$${salt}$${key}$more`,
    `scrypt$many$8$3$${salt}$${key}`,
    `scrypt$0$8$3$${salt}$${key}`,
    `scrypt$-2$8$3$${salt}$${key}`,
    `scrypt$1000$8$3$${salt}$${key}`,
    `scrypt$$8$3$${salt}$${key}`,
    `scrypt$1e3$8$3$${salt}$${key}`,
    `scrypt$32768$0$3$${salt}$${key}`,
    `scrypt$32768$8$0$${salt}$${key}`,
    // Costs that would take the memory or the processor for minutes.
    `scrypt$1073741824$8$1$${salt}$${key}`,
    `scrypt$32768$8$100000000$${salt}$${key}`,
    `scrypt$2$100000000$1$${salt}$${key}`,
  ];
  for (const hash of malformed) {
    it(`never match the malformed hash ${JSON.stringify(hash.slice(0, 40))}`, async () => {
      assert.equal(await verifyPassword("", hash), false);
    });
  }
});
