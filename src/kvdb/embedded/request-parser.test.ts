import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { renderRequest } from "./persistence/request-text.ts";
import { ProtocolError } from "./protocol-error.ts";
import { RequestParser } from "./request-parser.ts";

const limits = { bulkBytes: 1_000_000, arguments: 1_000 };

const requests: readonly (readonly string[])[] = [
  ["PING"],
  ["SET", "key", "\r\n*1\r\n$4\r\nPING\r\n"],
  ["ECHO", ""],
  ["SET", "\0\xff", "x".repeat(20_000)],
  ["MGET", ...Array.from({ length: 300 }, (_, i) => `key ${i}`)],
];
const stream = Buffer.from(requests.map(renderRequest).join("").repeat(3), "latin1");

/** What a parser makes of the stream in pieces of at most `size` bytes. */
function parseInPieces(size: number): string[][] {
  const parser = new RequestParser(limits);
  const found: string[][] = [];
  for (let at = 0; at < stream.length; at += size) {
    parser.push(Buffer.from(stream.subarray(at, at + size)));
    for (let args = parser.next(); args !== undefined; args = parser.next()) found.push(args);
  }
  return found;
}

describe("RequestParser", () => {
  const wanted = [...requests, ...requests, ...requests];
  for (const size of [1, 2, 3, 7, 64, 1_000, 19_999, stream.length]) {
    it(`reads the same from pieces of ${size} bytes`, () => {
      assert.deepEqual(parseInPieces(size), wanted);
    });
  }

  it("counts the bytes of whole requests", () => {
    const parser = new RequestParser(limits);
    parser.push(Buffer.from("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPI"));
    parser.next();

    assert.equal(parser.consumedBytes, 14);
    assert.equal(parser.next(), undefined);
  });

  it("refuses what is longer than its limits", () => {
    for (const text of ["*1001\r\n", "*1\r\n$1000001\r\n"]) {
      const parser = new RequestParser(limits);
      parser.push(Buffer.from(text));
      assert.throws(() => parser.next(), ProtocolError);
    }
  });

  it("is strict with files when asked to be", () => {
    for (const text of ["PING\r\n", "*1\r\n$3\r\nPING\r\n", "*1\r\n$4\r\nPINGxx"]) {
      const parser = new RequestParser(limits, { strict: true });
      parser.push(Buffer.from(text));
      assert.throws(() => parser.next(), ProtocolError);
    }
  });
});
