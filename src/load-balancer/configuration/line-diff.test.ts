import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { diffLines } from "./line-diff.ts";

const text = (lines: string) => [...lines].join("\n");

describe("diffLines", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["abc", "abc", ""],
    ["abc", "abd", "  a,  b,- c,+ d"],
    ["abcdefgh", "abcdefghi", "...,  g,  h,+ i"],
    ["abcdefgh", "Xbcdefgh", "- a,+ X,  b,  c,..."],
    ["abcdefghijk", "abXdefghiYk", "  a,  b,- c,+ X,  d,  e,...,  h,  i,- j,+ Y,  k"],
    ["ab", "", "- a,- b,+ "],
    ["aab", "ab", "- a,  a,  b"],
  ];
  for (const [before, after, expected] of cases) {
    it(`shows how "${before}" becomes "${after}"`, () => {
      const lines = diffLines(text(before), text(after));
      assert.deepEqual([...lines].sort(), expected === "" ? [] : expected.split(",").sort());
    });
  }

  it("leads from one text to the other, whatever they are", () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
    for (let round = 0; round < 300; round++) {
      const make = () =>
        text(Array.from({ length: random(9) + 1 }, () => "xyz"[random(3)]!).join(""));
      const [before, after] = [make(), make()];
      const lines = diffLines(before, after);
      if (before === after) assert.deepEqual(lines, []);
      // No text here is long enough for lines to be left out on both sides of every change.
      if (lines.length === 0 || lines.includes("...")) continue;
      const side = (sign: string) =>
        lines.filter((line) => line[0] === sign || line[0] === " ").map((line) => line.slice(2));
      assert.equal(side("-").join("\n"), before);
      assert.equal(side("+").join("\n"), after);
    }
  });
});
