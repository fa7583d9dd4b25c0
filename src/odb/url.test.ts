import assert from "node:assert/strict";
import { inspect } from "node:util";
import { describe, it } from "node:test";
import { parseOdbUrl, splitPassword } from "./url.ts";

describe("parseOdbUrl", () => {
  it("takes URLs of all databases apart", () => {
    assert.deepEqual(parseOdbUrl("sqlite:///srv/my%20odb.db"), {
      dialect: "sqlite",
      address: "/srv/my odb.db",
      path: "/srv/my odb.db",
    });
    assert.deepEqual(parseOdbUrl("postgresql://a%40b@db.example:6543/odb?schema=x"), {
      dialect: "postgresql",
      address: "db.example:6543/odb",
      host: "db.example",
      port: 6543,
      user: "a@b",
      database: "odb",
      schema: "x",
    });
    for (const scheme of ["mysql", "mariadb"]) {
      assert.deepEqual(parseOdbUrl(`${scheme}://u@[::1]/odb`), {
        dialect: "mysql",
        address: "[::1]:3306/odb",
        host: "::1",
        port: 3306,
        user: "u",
        database: "odb",
      });
    }
  });

  for (
    const [url, reason] of [
      ["odb.db", /not of the form/],
      ["oracle://u@h/d", /"oracle:" is not/],
      ["sqlite://odb.db", /absolute path/],
      ["sqlite:///srv/", /absolute path/],
      ["sqlite:///a.db?mode=ro", /"mode" is unknown/],
      ["postgresql://u@h/d?shema=x", /"shema" is unknown, known is schema/],
      ["postgresql://h/d", /names no user/],
      ["postgresql://u@h", /names no database/],
      ["mysql:///d", /names no host/],
      ["mysql://u%zz@h/d", /write %25/],
    ] as const
  ) {
    it(`refuses ${url}`, () => {
      assert.throws(() => parseOdbUrl(url), { code: "ODB_URL_INVALID", message: reason });
    });
  }

  it("refuses a password without showing it", () => {
    for (const url of ["postgresql://u:s3cret@h/d", "mysql://u:s3cret@h:x/d", "u:s3cret@h"]) {
      assert.throws(() => parseOdbUrl(url), (error: unknown) => {
        assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /s3cret/);
        return true;
      });
    }
    assert.throws(() => parseOdbUrl("postgresql://u:s3cret@h/d"), { code: "ODB_PASSWORD_IN_URL" });
  });
});

describe("splitPassword", () => {
  it("leaves a URL that can be stored, and the password as it was meant", () => {
    assert.deepEqual(splitPassword("postgresql://u:p%40ss%3A%2F@h:1/d?schema=x"), {
      url: "postgresql://u@h:1/d?schema=x",
      password: "p@ss:/",
    });
    assert.deepEqual(splitPassword("sqlite:///a.db"), { url: "sqlite:///a.db" });
  });
});
