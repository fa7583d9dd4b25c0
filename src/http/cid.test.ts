import assert from "node:assert/strict";
import { it } from "node:test";
import { createCid } from "./cid.ts";

it("createCid makes ids of 26 characters that never repeat and sort by order", () => {
  const ids = Array.from({ length: 5_000 }, createCid);

  assert.ok(ids.every((id) => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)));
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual(ids.toSorted(), ids);
});
