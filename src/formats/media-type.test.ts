import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { negotiate, parseMediaType } from "./media-type.ts";

describe("parseMediaType", () => {
  it("takes a type and its parameters apart", () => {
    const { essence, parameters } = parseMediaType('Text/CSV ; charset="utf-8"; A="x\\"; y";;');

    assert.equal(essence, "text/csv");
    assert.deepEqual([...parameters], [["charset", "utf-8"], ["a", 'x"; y']]);
    assert.equal(parseMediaType(null).essence, "application/octet-stream");
  });

  for (const text of ["", "a", "a/", "a/b/c", "a/b, c/d", "a/b; c", "a/b; c=d; c=e", 'a/b; c="d']) {
    it(`refuses "${text}"`, () => {
      assert.throws(() => parseMediaType(text), { code: "REQUEST_MALFORMED" });
    });
  }
});

describe("negotiate", () => {
  const types = ["application/json", "text/csv"];
  const cases: readonly [string | null, number][] = [
    [null, 0],
    ["", 0],
    ["*/*", 0],
    ["text/*", 1],
    ["TEXT/CSV", 1],
    ["text/csv, application/json", 0],
    ["text/csv;q=0.9, application/json;q=0.8", 1],
    ["application/json;q=0, */*", 1],
    ["text/csv;q=0, text/*", -1],
    ["image/png", -1],
    ["nonsense", -1],
    ["text/csv;q=2", -1],
  ];
  for (const [accept, place] of cases) {
    it(`answers ${place} to ${accept}`, () => {
      assert.equal(negotiate(accept, types), place);
    });
  }
});
