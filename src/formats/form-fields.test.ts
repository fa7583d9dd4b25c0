import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { compileFieldReader } from "./form-fields.ts";

const schema = z.object({
  n: z.int().optional(),
  list: z.array(z.int()).optional(),
  deep: z.object({ on: z.boolean(), at: z.date().optional() }).optional(),
  rows: z.array(z.object({ id: z.int(), tags: z.array(z.string()).optional() })).optional(),
  map: z.record(z.string(), z.number()).optional(),
  file: z.file().optional(),
  files: z.array(z.file()).optional(),
});
const reader = compileFieldReader(schema);
const file = new File(["x"], "x.txt");

describe("compileFieldReader", () => {
  const good: readonly [string, unknown][] = [
    ["n=7", { n: 7 }],
    ["n=x", { n: "x" }],
    ["list=1&list=2", { list: [1, 2] }],
    ["list[]=1&list[]=2", { list: [1, 2] }],
    ["list[1]=b&list[0]=a", { list: ["a", "b"] }],
    ["deep[on]=true&deep[at]=2026-01-02", { deep: { on: true, at: new Date("2026-01-02") } }],
    ["rows[0][id]=1&rows[0][tags][]=7&rows[1][id]=2", {
      rows: [{ id: 1, tags: ["7"] }, { id: 2 }],
    }],
    ["map[a]=1.5&map[b]=x", { map: { a: 1.5, b: "x" } }],
    ["other[a]=1", { other: { a: "1" } }],
    ["a[=1&]b=2&[c]=3&d[e]f=4", { "a[": "1", "]b": "2", "[c]": "3", "d[e]f": "4" }],
    ["", {}],
  ];
  for (const [query, expected] of good) {
    it(`reads ${query || "nothing"}`, () => {
      assert.deepEqual(reader.read(new URLSearchParams(query)), expected);
    });
  }

  it("makes a list of one file where a list is declared", () => {
    assert.deepEqual(reader.read([["file", file], ["files", file]]), { file, files: [file] });
  });

  for (const query of ["a=1&a[b]=2", "a[b]=1&a=2", "a[b]=1&a[b][c]=2", "a[__proto__]=1"]) {
    it(`refuses ${query}`, () => {
      assert.throws(() => reader.read(new URLSearchParams(query)), { code: "REQUEST_MALFORMED" });
    });
  }
});
