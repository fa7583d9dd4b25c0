import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { withDefaults, withoutDefaults } from "./defaults.ts";
import { defineKind } from "./kind.ts";

const kind = defineKind({
  kind: "Example",
  group: "data",
  description: "What a kind can have",
  references: [],
  schema: z.strictObject({
    path: z.string(),
    note: z.string().optional(),
    methods: z.array(z.string()).default(["GET"]),
    limit: z.int().nullable().default(null),
    cache: z.strictObject({
      ttlMs: z.int(),
      vary: z.array(z.string()).default([]),
    }).optional(),
    rules: z.array(z.strictObject({ path: z.string(), strict: z.boolean().default(true) }))
      .default([]),
  }),
});

describe("withoutDefaults", () => {
  const cases: readonly [string, z.input<typeof kind.schema>, unknown][] = [
    ["what nobody gave", { path: "/a" }, { path: "/a" }],
    ["what was given as it would be anyway", { path: "/a", methods: ["GET"] }, { path: "/a" }],
    [
      "nothing that differs",
      { path: "/a", methods: ["PUT"], limit: 3, note: "" },
      { path: "/a", methods: ["PUT"], limit: 3, note: "" },
    ],
    [
      "defaults inside of objects and lists",
      { path: "/a", cache: { ttlMs: 1, vary: [] }, rules: [{ path: "b" }] },
      { path: "/a", cache: { ttlMs: 1 }, rules: [{ path: "b" }] },
    ],
  ];
  for (const [what, given, stored] of cases) {
    it(`leaves out ${what}, and reading it brings the same`, () => {
      const spec = kind.schema.parse(given);

      const lean = withoutDefaults(kind, spec);

      assert.deepEqual(lean, stored);
      assert.deepEqual(kind.schema.parse(lean), spec);
    });
  }

  it("keeps what the kind does not know", () => {
    assert.deepEqual(withoutDefaults(kind, { path: "/a", later: 1 }), { path: "/a", later: 1 });
  });
});

describe("withDefaults", () => {
  it("brings back what is not stored, and changes nothing that is", () => {
    const stored = { path: "/a", methods: ["PUT"], cache: { ttlMs: 1 } };

    assert.deepEqual(withDefaults(kind, stored), { ...stored, limit: null, rules: [] });
  });
});
