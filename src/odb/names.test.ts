import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { joinSome, requireName } from "./names.ts";

describe("requireName", () => {
  it("takes whatever every database keeps", () => {
    for (const name of ["a", "a b", "'\"\\%", "北京", "\u{1F680}".repeat(255)]) {
      requireName("The name", name);
    }
  });

  it("refuses the rest, quoting it so that it can be read", () => {
    assert.throws(() => requireName("The name", "a\u0000b"), {
      code: "ODB_NAME_INVALID",
      message: 'The name "a\\u0000b" cannot be stored: it holds a control character',
    });
    for (const name of ["", " a", "a\u00a0", "\ud800", "x".repeat(256)]) {
      assert.throws(() => requireName("The name", name), { code: "ODB_NAME_INVALID" });
    }
  });
});

describe("joinSome", () => {
  it("shows a few and counts the rest", () => {
    assert.equal(joinSome(["a", "b"], ", "), "a, b");
    assert.equal(joinSome(["a", "b", "c"], ", ", 1), "a and 2 more");
  });
});
