import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  parseChallenge,
  renderAuthenticate,
  renderNegotiate,
  renderResponses,
} from "./messages.ts";

// The worked example of MS-NLMP, 4.2: the same names, challenges and results.
const account = {
  username: "User",
  password: "Password",
  domain: "Domain",
  workstation: "COMPUTER",
};
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const serverChallenge = hex("01 23 45 67 89 ab cd ef");
const clientChallenge = hex("aa aa aa aa aa aa aa aa");
const targetInfo = hex(
  "02 00 0c 00 44 00 6f 00 6d 00 61 00 69 00 6e 00 01 00 0c 00 53 00 65 00 72 00 76 00 65 00 72 00" +
    "00 00 00 00",
);

function challenge(
  { flags = 0xe28a8233, info = targetInfo }: { flags?: number; info?: Buffer } = {},
): Buffer {
  const head = Buffer.alloc(48);
  head.write("NTLMSSP\0", "latin1");
  head.writeUInt32LE(2, 8);
  head.writeUInt32LE(flags, 20);
  serverChallenge.copy(head, 24);
  head.writeUInt16LE(info.length, 40);
  head.writeUInt16LE(info.length, 42);
  head.writeUInt32LE(48, 44);
  return Buffer.concat([head, info]);
}

describe("NTLM messages", () => {
  it("answer the specification's challenge as the specification does", () => {
    const { lm, nt, sessionKey } = renderResponses(account, {
      serverChallenge,
      clientChallenge,
      time: Buffer.alloc(8),
      targetInfo,
      hasServerTime: false,
    });

    assert.equal(nt.subarray(0, 16).toString("hex"), "68cd0ab851e51c96aabc927bebef6a1c");
    assert.equal(lm.toString("hex"), "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa");
    assert.equal(sessionKey.toString("hex"), "8de40ccadbc14a82f15cb0ad0de95ca3");
  });

  const options = {
    negotiate: renderNegotiate(),
    clientChallenge,
    now: Date.UTC(2026, 0, 1),
    target: "HTTP/erp.example.com",
  };

  it("carry the account's names, and never its password", () => {
    const message = renderAuthenticate(parseChallenge(challenge()), account, options);
    const text = message.toString("utf16le");

    for (const part of ["User", "Domain", "COMPUTER"]) assert.ok(text.includes(part), part);
    assert.equal(message.includes(Buffer.from("Password", "utf16le")), false);
    assert.equal(message.includes("Password"), false);
  });

  it("are signed where the server says its time, and then hold no LM response", () => {
    const time = Buffer.alloc(12);
    time.writeUInt16LE(7);
    time.writeUInt16LE(8, 2);
    const info = Buffer.concat([time, targetInfo]);
    const signed = renderAuthenticate(parseChallenge(challenge({ info })), account, options);
    const plain = renderAuthenticate(parseChallenge(challenge()), account, options);

    assert.notEqual(signed.subarray(72, 88).toString("hex"), "0".repeat(32));
    assert.equal(plain.subarray(72, 88).toString("hex"), "0".repeat(32));
    assert.equal(signed.subarray(88, 88 + 24).toString("hex"), "0".repeat(48));
  });

  it("refuse challenges that are cut off, or none", () => {
    const good = challenge();
    const cut = Array.from({ length: good.length }, (_, length) => good.subarray(0, length));
    for (const message of cut) {
      // A challenge of 32 bytes is whole: one without target information.
      if (message.length >= 32 && message.length < 48) continue;
      assert.throws(() => parseChallenge(message), Error, String(message.length));
    }
    const changed: readonly ((message: Buffer) => void)[] = [
      (message) => message.write("X"),
      (message) => message.writeUInt32LE(1, 8),
      (message) => message.writeUInt32LE(3, 8),
      (message) => message.writeUInt32LE(0x202, 20),
      (message) => message.writeUInt32LE(0xffff_ffff, 44),
      (message) => message.writeUInt16LE(0xffff, 40),
      (message) => message.writeUInt16LE(0xffff, 50),
    ];
    for (const [index, change] of changed.entries()) {
      const message = Buffer.from(good);
      change(message);
      assert.throws(() => parseChallenge(message), Error, String(index));
    }
  });
});
