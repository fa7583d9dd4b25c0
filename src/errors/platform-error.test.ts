import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Code, codes } from "./codes.ts";
import type { ErrorCode } from "./error-code.ts";
import { isPlatformError, PlatformError, reasonOf } from "./platform-error.ts";

describe("A PlatformError", () => {
  it("takes everything from its code's row, with the values filled in", () => {
    const cause = new Error("ENOENT");
    const params = { directory: "/d", found: "ca", wanted: "server" };
    const error = new PlatformError("CONFIG_WRONG_COMPONENT", params, { cause, details: { a: 1 } });

    assert.equal(error.message, '"/d" is a ca, not a server');
    assert.equal(error.advice, "Name the directory of a server");
    assert.deepEqual([error.code, error.kind, error.status, error.retryable, error.cause], [
      "CONFIG_WRONG_COMPONENT",
      "input",
      400,
      false,
      cause,
    ]);
    assert.ok(error instanceof Error);
  });

  it("fills each place once, whatever the values contain", () => {
    const values = { file: "{reason} $& $1", reason: "{file}" };
    const { message } = new PlatformError("CONFIG_UNREADABLE", values);
    assert.equal(message, 'Cannot read "{reason} $& $1": {file}');
  });

  it("survives a trip to another process, in its own words", () => {
    const sent = new PlatformError("CONFIG_SYNTAX", {
      file: "f",
      line: 1,
      column: 2,
      reason: "r",
    }, { details: { a: 1 }, advice: "Do this" });

    const received = PlatformError.fromJson(JSON.parse(JSON.stringify(sent)));

    assert.deepEqual(received.toJSON(), sent.toJSON());
    assert.deepEqual([received.kind, received.status], [sent.kind, sent.status]);
    assert.ok(!("stack" in sent.toJSON()) && !("cause" in sent.toJSON()));
  });

  it("becomes INTERNAL, with its message, when its code is unknown here", () => {
    // Names that every object has are not codes.
    for (const code of ["NEWER_CODE", "toString", "constructor"]) {
      const error = PlatformError.fromJson({ code: code as Code, message: "what it said" });
      assert.deepEqual([error.code, error.status], ["INTERNAL", 500]);
      assert.equal(error.message, "what it said");
    }
  });
});

describe("isPlatformError", () => {
  it("tells ours from others, and one code from another", () => {
    const error: unknown = new PlatformError("INTERNAL");
    assert.ok(isPlatformError(error));
    assert.ok(isPlatformError(error, "INTERNAL"));
    assert.ok(!isPlatformError(error, "CONFIG_SYNTAX"));
    assert.ok(!isPlatformError(new Error("INTERNAL")));
  });
});

describe("reasonOf", () => {
  it("says in words what was thrown", () => {
    const several = new AggregateError([new Error("a"), "b"]);
    assert.deepEqual([new Error("e"), "text", 42, undefined, several].map(reasonOf), [
      "e",
      "text",
      "42",
      "undefined",
      "a; b",
    ]);
    assert.equal(reasonOf(new AggregateError([new Error("a")], "all failed")), "all failed");
  });
});

describe("The table of codes", () => {
  const rows: readonly (readonly [string, ErrorCode])[] = Object.entries(codes);

  it("has names AREA_WHAT, sentences without full stops, and statuses of errors", () => {
    for (const [code, { message, advice, status }] of rows) {
      assert.match(code, /^[A-Z0-9]+(_[A-Z0-9]+)*$/);
      for (const text of [message, advice ?? "Advice"]) {
        assert.match(text, /^["A-Z{]/, `${code}: ${text}`);
        assert.doesNotMatch(text, /\.$/, `${code}: ${text}`);
      }
      assert.ok(status >= 400 && status <= 599, code);
    }
  });
});
