import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { defineKind } from "../catalog/kind.ts";
import { compareSpecs } from "./object-comparison.ts";

const kind = defineKind({
  kind: "Thing",
  group: "data",
  description: "A thing",
  schema: z.strictObject({
    path: z.string(),
    list: z.array(z.string()).optional(),
    nested: z.record(z.string(), z.unknown()).optional(),
    key: z.string().meta({ secret: "token" }),
  }),
  references: [],
});

describe("Two specs of an object", () => {
  it("differ field by field, in the schema's order, lists as a whole", () => {
    const before = { nested: { a: 1, deep: { b: 1 } }, path: "/a", list: ["x"], key: "s1" };
    const after = {
      nested: { a: 1, deep: { b: 2 }, c: 3 },
      path: "/b",
      list: ["x", "y"],
      key: "s1",
    };

    assert.deepEqual(compareSpecs(kind, { before, after, given: {} }), [
      { field: "path", before: "/a", after: "/b" },
      { field: "list", before: ["x"], after: ["x", "y"] },
      { field: "nested.deep.b", before: 1, after: 2 },
      { field: "nested.c", after: 3 },
    ]);
  });

  it("tell of secrets whether they change, when they were given, and never more", () => {
    const before = { path: "/a", key: "s1" };
    const changed = compareSpecs(kind, {
      before,
      after: { path: "/a", key: "s2" },
      given: { key: "in clear" },
    });

    assert.deepEqual(changed, [{ field: "key", secret: "changed" }]);
    assert.deepEqual(compareSpecs(kind, { before, after: before, given: { key: "x" } }), [
      { field: "key", secret: "unchanged" },
    ]);
    assert.deepEqual(compareSpecs(kind, { before, after: before, given: {} }), []);
  });

  it("of a new object are all of its fields", () => {
    const after = { path: "/a", key: "s1" };

    assert.deepEqual(compareSpecs(kind, { before: undefined, after, given: after }), [
      { field: "path", after: "/a" },
      { field: "key", secret: "changed" },
    ]);
  });
});
