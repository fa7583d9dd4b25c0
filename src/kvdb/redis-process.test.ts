import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderRedisConfig } from "./redis-config.ts";
import { parseLogLine } from "./redis-process.ts";

describe("parseLogLine()", () => {
  it("finds level and message", () => {
    assert.deepEqual(parseLogLine("42:M 24 Nov 2026 00:56:39.123 * Ready to go"), {
      level: "info",
      message: "Ready to go",
    });
    assert.equal(parseLogLine("42:C 24 Nov 2026 00:56:39.123 # Beware").level, "warn");
    assert.equal(parseLogLine("42:M 24 Nov 2026 00:56:39.123 - Detail").level, "debug");
  });

  it("takes any other line as it is", () => {
    assert.deepEqual(parseLogLine("  *** FATAL ***  "), {
      level: "info",
      message: "*** FATAL ***",
    });
  });
});

describe("renderRedisConfig()", () => {
  it("quotes what could be read as something else", () => {
    const text = renderRedisConfig({
      host: "127.0.0.1",
      port: 1,
      password: 'a"b\\c d\u00e9#',
      directory: "/tmp/with space",
    });

    assert.match(text, /^requirepass "a\\x22b\\x5cc d\\xc3\\xa9#"$/m);
    assert.match(text, /^dir "\/tmp\/with space"$/m);
  });

  it("sets no password when there is none", () => {
    const config = { host: "::1", port: 1, password: undefined, directory: "/tmp" };

    assert.doesNotMatch(renderRedisConfig(config), /requirepass/);
  });
});
