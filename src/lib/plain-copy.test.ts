import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nestingMax, plainCopy } from "./plain-copy.ts";

function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = wrap(value);
  return value;
}

describe("plainCopy", () => {
  it("says what JSON says", () => {
    const date = new Date(0);

    assert.deepEqual(plainCopy({ a: [1, undefined], b: undefined, date }), {
      a: [1, null],
      date: date.toJSON(),
    });
    assert.equal(plainCopy(() => 1), undefined);
  });

  for (
    const [name, wrap] of [["lists", (a: unknown) => [a]], [
      "objects",
      (a: unknown) => ({ a }),
    ]] as const
  ) {
    it(`takes ${name} within its limit, and no deeper ones`, () => {
      const deepest = nested(nestingMax, wrap);

      assert.deepEqual(plainCopy(deepest), deepest);
      for (const levels of [nestingMax + 1, 5_000]) {
        assert.throws(() => plainCopy(nested(levels, wrap)), /nests deeper than 200 levels/);
      }
    });
  }

  it("refuses what goes in circles", () => {
    const round: unknown[] = [];
    round.push(round);

    assert.throws(() => plainCopy(round), TypeError);
  });
});
