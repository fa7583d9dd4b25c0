import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PlatformError } from "../errors/platform-error.ts";
import { parseKvdbUrl } from "./address.ts";

describe("parseKvdbUrl()", () => {
  it("reads host, port and database", () => {
    const { host, port, database } = parseKvdbUrl("redis://kvdb.example:7000/3");

    assert.deepEqual({ host, port, database }, { host: "kvdb.example", port: 7000, database: 3 });
  });

  it("takes port 6379 and database 0 when there are none", () => {
    const { port, database } = parseKvdbUrl("redis://localhost");

    assert.deepEqual({ port, database }, { port: 6379, database: 0 });
  });

  it("reads IPv6 addresses", () => {
    assert.equal(parseKvdbUrl("redis://[::1]:7000").host, "::1");
  });

  for (const url of ["redis://:hunter2@localhost", "redis://ana:hunter2@localhost:1/0"]) {
    it("refuses a password in the URL, and does not repeat it", () => {
      assert.throws(() => parseKvdbUrl(url), (error) => {
        assert.ok(error instanceof PlatformError && error.code === "KVDB_PASSWORD_IN_URL");
        assert.doesNotMatch(JSON.stringify(error) + String(error.stack), /hunter2/);
        return true;
      });
    });
  }

  const wrong: Readonly<Record<string, RegExp>> = {
    "http://localhost": /scheme/,
    "localhost:6379": /scheme/,
    "redis://localhost/x": /database/,
    "redis://localhost/0?a=b": /query/,
    "redis:///0": /host/,
    "nonsense": /not a URL/,
  };
  for (const [url, message] of Object.entries(wrong)) {
    it(`says what is wrong with ${url}`, () => {
      assert.throws(() => parseKvdbUrl(url), (error) => {
        assert.ok(error instanceof PlatformError && error.code === "KVDB_URL_INVALID");
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
