import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { matchesGlob } from "./glob.ts";
import { addDecimals, addIntegers, formatDouble, isInteger, parseDouble } from "./numbers.ts";

describe("matchesGlob()", () => {
  const table: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ["*", "", true],
    ["*", "anything", true],
    ["", "", true],
    ["", "a", false],
    ["h?llo", "hello", true],
    ["h?llo", "hllo", false],
    ["h*llo", "heeeello", true],
    ["h*llo", "hell", false],
    ["*a*b*c", "xxaxxbxxc", true],
    ["*a*b*c", "xxaxxcxxb", false],
    ["h[ae]llo", "hallo", true],
    ["h[ae]llo", "hillo", false],
    ["h[^e]llo", "hallo", true],
    ["h[^e]llo", "hello", false],
    ["h[a-c]llo", "hbllo", true],
    ["h[c-a]llo", "hbllo", true],
    ["h[a-c]llo", "hdllo", false],
    ["h\\*llo", "h*llo", true],
    ["h\\*llo", "hello", false],
    ["[\\]]", "]", true],
    ["[abc", "a", true],
    ["a**", "a", true],
    ["user:*:name", "user:1:2:name", true],
  ];
  for (const [pattern, text, matches] of table) {
    it(`${matches ? "finds" : "does not find"} "${pattern}" in "${text}"`, () => {
      assert.equal(matchesGlob(pattern, text), matches);
    });
  }

  it("ends soon with a pattern that is made to take long", () => {
    assert.equal(matchesGlob("a*".repeat(50) + "b", "a".repeat(2_000)), false);
  });
});

describe("numbers", () => {
  it("tells canonical 64-bit integers from other texts", () => {
    for (const text of ["0", "-1", "42", "9223372036854775807", "-9223372036854775808"]) {
      assert.ok(isInteger(text), text);
    }
    const others = ["", " 1", "1 ", "+1", "01", "-0", "1.0", "1e3", "0x10", "9223372036854775808"];
    for (const text of [...others, "-9223372036854775809", "NaN", "Infinity", "١"]) {
      assert.ok(!isInteger(text), text);
    }
  });

  it("adds beyond what doubles can hold, up to 64 bits", () => {
    assert.equal(addIntegers("9007199254740993", "1"), "9007199254740994");
    assert.equal(addIntegers("9223372036854775807", "1"), undefined);
    assert.equal(addIntegers("-9223372036854775808", "-1"), undefined);
    assert.equal(addIntegers("9223372036854775806", "1"), "9223372036854775807");
  });

  it("adds decimals without rounding errors", () => {
    assert.equal(addDecimals("0.1", "0.2"), "0.3");
    assert.equal(addDecimals("10.50", "0.1"), "10.6");
    assert.equal(addDecimals("5.0e3", "2.0e2"), "5200");
    assert.equal(addDecimals("-0.5", "0.5"), "0");
    assert.equal(addDecimals("1", "-1.25"), "-0.25");
    assert.equal(addDecimals("1e500", "1"), undefined);
  });

  it("writes doubles as C does with %.17g", () => {
    const table: readonly (readonly [number, string])[] = [
      [1, "1"],
      [1.5, "1.5"],
      [1.1, "1.1000000000000001"],
      [-0.00001, "-1.0000000000000001e-05"],
      [0.0001, "0.0001"],
      [1e16, "10000000000000000"],
      [1e17, "1e+17"],
      [1e300, "1.0000000000000001e+300"],
      [Infinity, "inf"],
      [-Infinity, "-inf"],
    ];
    for (const [number, text] of table) assert.equal(formatDouble(number), text);
  });

  it("reads numbers as C does, and nothing else", () => {
    assert.equal(parseDouble("-1.5e3"), -1500);
    assert.equal(parseDouble("+inf"), Infinity);
    assert.equal(parseDouble("-Infinity"), -Infinity);
    for (const text of ["", " 1", "1 ", "nan", "1,5", "e3", ".", "--1"]) {
      assert.equal(parseDouble(text), undefined, text);
    }
  });
});
