import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { type JsonSchema, propertyName, recursivePointers, typeText } from "./type-text.ts";

const cases: readonly (readonly [name: string, schema: JsonSchema, text: string])[] = [
  ["anything", {}, "unknown"],
  ["the schema true", true, "unknown"],
  ["the schema false", false, "never"],
  ["text", { type: "string", minLength: 3, pattern: "^a" }, "string"],
  ["numbers of both sorts", { type: ["number", "integer"] }, "number"],
  ["a truth value", { type: "boolean" }, "boolean"],
  ["null", { type: "null" }, "null"],
  ["a nullable type list", { type: ["string", "null"] }, "string | null"],
  ["a type that it does not know", { type: "date" }, "unknown"],
  ["a constant", { const: "a" }, '"a"'],
  ["a constant that is null", { const: null }, "null"],
  ["a constant object", { const: { a: [1, "x"] } }, '{ a: readonly [1, "x"] }'],
  ["an enumeration", { type: "string", enum: ["a", "b|c"] }, '"a" | "b|c"'],
  ["an enumeration with a null", { enum: [1, null] }, "1 | null"],
  ["an empty enumeration", { enum: [] }, "never"],
  ["a list", { type: "array", items: { type: "string" } }, "string[]"],
  ["a list of anything", { type: "array" }, "unknown[]"],
  [
    "a list of a union",
    { type: "array", items: { anyOf: [{ type: "string" }, { type: "null" }] } },
    "(string | null)[]",
  ],
  [
    "a list of an enumeration whose text looks like one",
    { type: "array", items: { const: "a | b" } },
    '"a | b"[]',
  ],
  [
    "a tuple",
    { type: "array", prefixItems: [{ type: "string" }, { type: "number" }], items: false },
    "[string, number]",
  ],
  [
    "a tuple with a rest",
    { type: "array", prefixItems: [{ type: "string" }], items: { type: "number" } },
    "[string, ...number[]]",
  ],
  [
    "a tuple with optional parts",
    { prefixItems: [{ type: "string" }, { type: "number" }], minItems: 1 },
    "[string, number?]",
  ],
  [
    "a tuple of an older draft",
    { type: "array", items: [{ type: "string" }], additionalItems: { type: "null" } },
    "[string, ...null[]]",
  ],
  [
    "an object",
    {
      type: "object",
      properties: { id: { type: "integer" }, "x-y": { type: "string" } },
      required: ["id"],
      additionalProperties: false,
    },
    '{\n  id: number;\n  "x-y"?: string;\n}',
  ],
  [
    "an object without a type, in an object, with descriptions",
    { properties: { a: { properties: { b: { description: "The\nb */" } } } } },
    "{\n  a?: {\n    /** The b *\\/ */\n    b?: unknown;\n  };\n}",
  ],
  [
    "an open object with named fields",
    { type: "object", properties: { a: { type: "string" } }, additionalProperties: {} },
    "{\n  a?: string;\n} & Record<string, unknown>",
  ],
  [
    "a record",
    { type: "object", additionalProperties: { type: "number" } },
    "Record<string, number>",
  ],
  ["an object of anything", { type: "object" }, "Record<string, unknown>"],
  ["an empty object", { type: "object", additionalProperties: false }, "Record<string, never>"],
  [
    "a record by pattern",
    {
      type: "object",
      patternProperties: { "^a": { type: "number" } },
      additionalProperties: false,
    },
    "Record<string, number>",
  ],
  [
    "a record of an enumeration",
    {
      type: "object",
      propertyNames: { enum: ["a", "b"] },
      additionalProperties: { type: "number" },
    },
    'Partial<Record<"a" | "b", number>>',
  ],
  ["a union", { anyOf: [{ type: "string" }, { type: "number" }] }, "string | number"],
  ["a union that says a type twice", { oneOf: [{ type: "string" }, { type: "string" }] }, "string"],
  ["a union with anything", { anyOf: [{ type: "string" }, {}] }, "unknown"],
  ["a union with nothing", { anyOf: [{ type: "string" }, false] }, "string"],
  ["an empty union", { anyOf: [] }, "unknown"],
  [
    "an intersection of unions",
    { allOf: [{ anyOf: [{ const: 1 }, { const: 2 }] }, { type: "number" }] },
    "(1 | 2) & number",
  ],
  [
    "a union beside fields",
    {
      type: "object",
      properties: { a: { type: "string" } },
      anyOf: [{ properties: { b: { type: "null" } } }],
    },
    "{\n  a?: string;\n} & {\n  b?: null;\n}",
  ],
  [
    "a union beside a plain type",
    { type: "string", anyOf: [{ const: "a" }, { const: "b" }] },
    '"a" | "b"',
  ],
  [
    "a reference",
    { $ref: "#/$defs/a~1b", $defs: { "a/b": { type: "string" } } },
    "string",
  ],
  ["a reference that leads nowhere", { $ref: "#/$defs/x" }, "unknown"],
  ["a reference to another document", { $ref: "https://example.com/x" }, "unknown"],
  ["a field that is called as a part of every object", { $ref: "#/constructor" }, "unknown"],
];

describe("The type of a JSON Schema", () => {
  for (const [name, schema, text] of cases) {
    it(`of ${name} is ${text.replaceAll("\n", " ")}`, () => {
      assert.equal(typeText(schema), text);
    });
  }

  it("names what refers to itself", () => {
    const Node: z.ZodType = z.object({
      name: z.string(),
      get children() {
        return z.array(Node);
      },
    });
    const schema = z.toJSONSchema(Node) as JsonSchema; // zod makes JSON Schemas
    const pointers = recursivePointers(schema);

    assert.equal(pointers.length, 1);
    assert.match(
      typeText(schema, { references: new Map([[pointers[0]!, "Node"]]) }),
      /children: Node\[\];/,
    );
  });

  it("of what is used twice is no recursion", () => {
    const word = { $ref: "#/$defs/word" };
    const schema = { properties: { a: word, b: word }, $defs: { word: { type: "string" } } };

    assert.deepEqual(recursivePointers(schema), []);
  });

  it("puts names in quotes that are no identifiers", () => {
    assert.deepEqual(["a", "$b", "a-b", "1", 'x"y', ""].map(propertyName), [
      "a",
      "$b",
      '"a-b"',
      '"1"',
      '"x\\"y"',
      '""',
    ]);
  });

  it("of zod's own schemas compiles to what zod infers", () => {
    const schema = z.object({
      id: z.int(),
      tags: z.array(z.enum(["a", "b"])).optional(),
      pair: z.tuple([z.string(), z.number()]),
      extra: z.record(z.string(), z.number().nullable()),
      shape: z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("x"), size: z.number() }),
        z.object({ kind: z.literal("y") }),
      ]),
    });

    assert.equal(
      typeText(z.toJSONSchema(schema, { io: "input" }) as JsonSchema), // zod makes JSON Schemas
      `{
  id: number;
  tags?: ("a" | "b")[];
  pair: [string, number];
  extra: Record<string, number | null>;
  shape: {
    kind: "x";
    size: number;
  } | {
    kind: "y";
  };
}`,
    );
  });
});
