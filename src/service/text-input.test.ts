import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { compileTextInput } from "./text-input.ts";

const tree = z.object({
  value: z.number(),
  get next() {
    return tree.optional();
  },
});

describe("compileTextInput", () => {
  const scalars: readonly [string, z.ZodType, string, unknown][] = [
    ["a number", z.number(), "1.5", 1.5],
    ["a negative exponent", z.number(), "-1e-3", -0.001],
    ["an integer", z.int(), "42", 42],
    ["no hexadecimal", z.number(), "0x1f", "0x1f"],
    ["no empty number", z.number(), "", ""],
    ["no Infinity", z.number(), "Infinity", "Infinity"],
    ["a big integer", z.bigint(), "9007199254740993", 9007199254740993n],
    ["no fraction as big integer", z.bigint(), "1.5", "1.5"],
    ["true", z.boolean(), "true", true],
    ["zero as false", z.boolean(), "0", false],
    ["no yes", z.boolean(), "yes", "yes"],
    ["a date", z.date(), "2026-01-02T03:04:05Z", new Date(Date.UTC(2026, 0, 2, 3, 4, 5))],
    ["no date of words", z.date(), "tomorrow", "tomorrow"],
    ["no 13th month", z.date(), "2026-13-01", "2026-13-01"],
    ["text that looks like a number", z.string(), "42", "42"],
    ["a literal number", z.literal([1, "one"]), "1", 1],
    ["an enumeration", z.enum({ low: 0, high: 1 }), "1", 1],
    ["either a number or a boolean", z.union([z.number(), z.boolean()]), "true", true],
    ["text where text or a number may be", z.union([z.string(), z.number()]), "1", "1"],
    ["optional", z.number().optional(), "1", 1],
    ["nullable with a default", z.number().nullable().default(3), "1", 1],
    ["a pipe", z.number().transform((n) => n * 2), "1", 1],
    ["read-only and caught", z.boolean().catch(false).readonly(), "1", true],
    ["lazy", z.lazy(() => z.number()), "1", 1],
    ["a coerced number by itself", z.coerce.number(), "1", 1],
    ["preprocessed text untouched", z.preprocess((x) => x, z.number()), "1", "1"],
  ];
  for (const [name, schema, text, expected] of scalars) {
    it(`reads ${name}`, () => {
      assert.deepEqual(compileTextInput(z.object({ f: schema })).read("f", [text]), expected);
    });
  }

  it("reads lists, also of one", () => {
    const input = compileTextInput(z.object({ ids: z.array(z.int()).optional() }));

    assert.deepEqual(input.read("ids", ["1"]), [1]);
    assert.deepEqual(input.read("ids", ["1", "2"]), [1, 2]);
  });

  it("leaves repetition of a single field for validation to refuse", () => {
    assert.deepEqual(compileTextInput(z.object({ id: z.int() })).read("id", ["1", "2"]), [1, 2]);
  });

  it("leaves unknown fields and foreign schemas as text", () => {
    assert.equal(compileTextInput(z.object({})).read("x", ["1"]), "1");
    assert.deepEqual(compileTextInput(undefined).read("x", ["1", "2"]), ["1", "2"]);
  });

  it("looks into unions, intersections, records and what refers to itself", () => {
    const union = z.discriminatedUnion("type", [
      z.object({ type: z.literal("a"), n: z.number() }),
      z.object({ type: z.literal("b"), n: z.boolean() }),
    ]);
    const both = z.intersection(z.object({ a: z.number() }), z.object({ b: z.boolean() }));

    assert.equal(compileTextInput(union).read("n", ["1"]), 1);
    assert.equal(compileTextInput(union).read("n", ["true"]), true);
    assert.equal(compileTextInput(both).read("b", ["true"]), true);
    assert.equal(compileTextInput(z.record(z.string(), z.number())).read("any", ["1"]), 1);
    assert.equal(compileTextInput(z.looseObject({}).catchall(z.number())).read("any", ["1"]), 1);
    assert.equal(compileTextInput(tree).read("value", ["1"]), 1);
  });

  it("tells whether the schema takes an object", () => {
    const isObject = (schema: z.ZodType) => compileTextInput(schema).isObject;

    assert.ok(isObject(z.object({}).optional()));
    assert.ok(isObject(z.unknown()));
    assert.ok(!isObject(z.array(z.string())));
    assert.ok(!isObject(z.void()));
  });
});
