import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nearestName } from "./nearest-name.ts";

describe("nearestName", () => {
  const fields = ["timeoutMs", "retries", "host", "port", "maxConnections", "up"];
  const cases: readonly (readonly [name: string, wanted: string | undefined])[] = [
    ["timeoutMS", "timeoutMs"],
    ["timoutMs", "timeoutMs"],
    ["retires", "retries"],
    ["prot", "port"],
    ["maxconection", "maxConnections"],
    ["port", "port"],
    ["colour", undefined],
    ["connections", "maxConnections"],
    // A short name with every letter changed is another name, however few letters that are.
    ["xy", undefined],
    ["x", undefined],
    ["", undefined],
  ];
  for (const [name, wanted] of cases) {
    it(`finds ${wanted ?? "nothing"} for "${name}"`, () => {
      assert.equal(nearestName(name, fields), wanted);
    });
  }

  it("takes the first of equally near names, and nothing from an empty list", () => {
    assert.equal(nearestName("bat", ["cat", "rat"]), "cat");
    assert.equal(nearestName("bat", []), undefined);
  });
});
