import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keyBatches, rowBatches } from "./batches.ts";

describe("batches", () => {
  it("cuts keys and rows without losing or reordering any", () => {
    const keys = Array.from({ length: 2_001 }, (_, n) => n);
    const rows = keys.map((id) => ({ id, text: "" }));

    assert.deepEqual([...keyBatches(keys)].flat(), keys);
    assert.deepEqual([...keyBatches(keys)].map(({ length }) => length), [1_000, 1_000, 1]);
    assert.deepEqual([...rowBatches(rows)].flat(), rows);
    assert.ok([...rowBatches(rows)].every(({ length }) => length <= 500));
    assert.deepEqual([...rowBatches([])], []);
  });

  it("keeps the text of one statement small, but takes a long row by itself", () => {
    const rows = [400_000, 400_000, 400_000, 5_000_000, 1].map((size) => ({
      text: "x".repeat(size),
    }));

    const sizes = [...rowBatches(rows)].map((batch) => batch.length);

    assert.deepEqual(sizes, [2, 1, 1, 1]);
  });
});
