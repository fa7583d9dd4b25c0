import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import type { Schema } from "../service/schema.ts";
import { UnwritableError } from "./format.ts";
import { parseMediaType } from "./media-type.ts";
import { xmlFormat } from "./xml.ts";

const type = parseMediaType("application/xml");

function read(schema: Schema | undefined, inner: string): unknown {
  return xmlFormat.reader(schema)(new TextEncoder().encode(`<r>${inner}</r>`), type);
}

function write(schema: Schema | undefined, value: unknown): string {
  const text = String(xmlFormat.writer(schema)(value));
  return text.replace(/^<\?xml[^>]*>\n/, "").replace(/^<response>(.*)<\/response>$/s, "$1");
}

const nil = '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>';

interface Tree {
  readonly name: string;
  readonly parts: readonly Tree[];
}

const tree: z.ZodType<Tree> = z.object({
  name: z.string(),
  get parts() {
    return z.array(tree);
  },
});

/** Schema, XML, and the value that is read from it and written to it. */
const both: readonly (readonly [string, Schema, string, unknown])[] = [
  ["texts as they are", z.object({ a: z.string() }), "<a> &lt;x&amp;\n</a>", { a: " <x&\n" }],
  [
    "numbers, booleans and large integers",
    z.object({ a: z.number(), b: z.boolean(), c: z.bigint() }),
    "<a>-1.5</a><b>true</b><c>123456789012345678901</c>",
    { a: -1.5, b: true, c: 123456789012345678901n },
  ],
  [
    "dates",
    z.object({ a: z.date(), b: z.iso.date() }),
    "<a>2026-01-02T03:04:05.000Z</a><b>2026-01-02</b>",
    { a: new Date("2026-01-02T03:04:05Z"), b: "2026-01-02" },
  ],
  [
    "enums and literals",
    z.object({ a: z.enum(["x", "y"]), b: z.literal([1, 2]) }),
    "<a>x</a><b>2</b>",
    { a: "x", b: 2 },
  ],
  [
    "objects in objects",
    z.object({ a: z.object({ b: z.object({ c: z.int() }) }) }),
    "<a><b><c>1</c></b></a>",
    { a: { b: { c: 1 } } },
  ],
  ["repeated elements", z.object({ a: z.array(z.int()) }), "<a>1</a><a>2</a>", { a: [1, 2] }],
  ["a list of one", z.object({ a: z.array(z.int()) }), "<a>1</a>", { a: [1] }],
  [
    "lists with an element of their own",
    z.object({ a: z.array(z.int()).meta({ xml: { wrapped: "n" } }) }),
    "<a><n>1</n><n>2</n></a>",
    { a: [1, 2] },
  ],
  [
    "lists of lists",
    z.object({ a: z.array(z.array(z.int())) }),
    "<a><item>1</item><item>2</item></a><a><item>3</item></a>",
    { a: [[1, 2], [3]] },
  ],
  ["sets", z.object({ a: z.set(z.int()) }), "<a>1</a><a>2</a>", { a: new Set([1, 2]) }],
  ["lists at the root", z.array(z.int()), "<item>1</item><item>2</item>", [1, 2]],
  ["scalars at the root", z.int(), "7", 7],
  [
    "attributes and text",
    z.object({
      a: z.object({
        unit: z.string().meta({ xml: { attribute: true } }),
        value: z.number().meta({ xml: { text: true } }),
      }),
    }),
    '<a unit="&quot;m&quot;">2.5</a>',
    { a: { unit: '"m"', value: 2.5 } },
  ],
  [
    "other names",
    z.object({ a: z.string().meta({ xml: { name: "Alpha" } }).optional() }),
    "<Alpha>x</Alpha>",
    { a: "x" },
  ],
  [
    "other namespaces",
    z.object({ a: z.string().meta({ xml: { namespace: "urn:a" } }) }),
    '<a xmlns="urn:a">x</a>',
    { a: "x" },
  ],
  ["null", z.object({ a: z.int().nullable() }), nil, { a: null }],
  ["records", z.object({ a: z.record(z.string(), z.int()) }), "<a><x>1</x></a>", { a: { x: 1 } }],
  [
    "unions of objects",
    z.object({
      a: z.discriminatedUnion("t", [
        z.object({ t: z.literal("n"), v: z.number() }),
        z.object({ t: z.literal("b"), v: z.boolean(), w: z.string() }),
      ]),
    }),
    "<a><t>b</t><v>true</v><w>x</w></a>",
    { a: { t: "b", v: true, w: "x" } },
  ],
  ["unions of scalars", z.object({ a: z.union([z.int(), z.boolean()]) }), "<a>7</a>", { a: 7 }],
  [
    "intersections",
    z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() })),
    "<a>1</a><b>2</b>",
    { a: 1, b: 2 },
  ],
  [
    "schemas that hold themselves",
    tree,
    "<name>a</name><parts><name>b</name></parts>",
    { name: "a", parts: [{ name: "b", parts: [] }] },
  ],
  [
    "what nobody describes",
    z.object({ a: z.any() }),
    '<a x="1">t<b>1</b><b>2</b></a>',
    { a: { "@x": "1", b: ["1", "2"], "#text": "t" } },
  ],
  ["loose objects", z.looseObject({ a: z.int() }), "<a>1</a><b>x</b>", { a: 1, b: "x" }],
];

describe("xmlFormat", () => {
  for (const [name, schema, xml, value] of both) {
    it(`reads and writes ${name}`, async () => {
      const got = read(schema, xml);

      assert.deepEqual(got, value);
      assert.deepEqual(await schema["~standard"].validate(got), { value });
      assert.deepEqual(read(schema, write(schema, value)), value);
    });
  }

  const once: readonly (readonly [string, Schema | undefined, string, unknown])[] = [
    ["nothing for a list", z.object({ a: z.array(z.int()) }), "", { a: [] }],
    ["nothing for an optional list", z.object({ a: z.array(z.int()).optional() }), "", {}],
    ["nothing for a default", z.object({ a: z.int().default(3) }), "", {}],
    ["an empty text", z.object({ a: z.string() }), "<a/>", { a: "" }],
    ["spaces around numbers", z.object({ a: z.int() }), "<a>\n 1 </a>", { a: 1 }],
    ["texts that are no numbers", z.object({ a: z.int() }), "<a>x</a>", { a: "x" }],
    ["elements where text is meant", z.object({ a: z.int() }), "<a><b>1</b></a>", {
      a: { b: "1" },
    }],
    ["text where elements are meant", z.object({ a: z.int() }), "x", "x"],
    ["an element that stands twice", z.object({ a: z.int() }), "<a>1</a><a>2</a>", { a: [1, 2] }],
    ["null that is not allowed as absent", z.object({ a: z.int() }), nil, { a: undefined }],
    ["elements that nobody asks for", z.object({ a: z.int() }), "<b>1</b><a>1</a>", { a: 1 }],
    ["what a strict schema refuses", z.strictObject({ a: z.int() }), "<a>1</a><b/>", {
      a: 1,
      b: "",
    }],
    ["what a transform takes", z.object({ a: z.int().transform(String) }), "<a>1</a>", { a: 1 }],
    ["names of methods", z.looseObject({}), "<toString>x</toString>", { toString: "x" }],
    ["without a schema", undefined, "<a>1</a><b><c/></b>", { a: "1", b: { c: "" } }],
  ];
  for (const [name, schema, xml, value] of once) {
    it(`reads ${name}`, () => assert.deepEqual(read(schema, xml), value));
  }

  const refused: readonly (readonly [string, string, string])[] = [
    ["a document type", "<!DOCTYPE r><r/>", "REQUEST_MALFORMED"],
    ["what is not well-formed", "<r><a></r>", "REQUEST_MALFORMED"],
    ["a prototype", "<r><__proto__><x/></__proto__></r>", "REQUEST_MALFORMED"],
    [
      "a constructor's prototype",
      "<r><b><constructor><prototype/></constructor></b></r>",
      "REQUEST_MALFORMED",
    ],
  ];
  for (const [name, text, code] of refused) {
    it(`refuses ${name}`, () => {
      const schema = z.looseObject({ a: z.int() });
      assert.throws(() => xmlFormat.reader(schema)(new TextEncoder().encode(text), type), { code });
    });
  }

  it("refuses a charset that is not known", () => {
    const wrong = parseMediaType("text/xml; charset=nonsense");
    const bytes = new TextEncoder().encode("<r/>");
    assert.throws(() => xmlFormat.reader(undefined)(bytes, wrong), {
      code: "REQUEST_CONTENT_TYPE",
    });
  });

  it("writes null only where it may be, and leaves undefined out", () => {
    const schema = z.object({ a: z.int().nullable(), b: z.int().optional() });
    assert.equal(write(schema, { a: null, b: null }), nil);
    assert.equal(write(schema, { a: 1, b: undefined }), "<a>1</a>");
  });

  const loop: Record<string, unknown> = {};
  loop["a"] = loop;
  const unwritable: readonly (readonly [string, unknown])[] = [
    ["/a/0/b", { a: [{ b: String.fromCharCode(0) }] }],
    ["/a/b", { a: { b: Number.NaN } }],
    ["/a", { a: Symbol("x") }],
    ["/a~1 b", { "a/ b": 1 }],
    ["/a", { a: new Date(Number.NaN) }],
  ];
  for (const [pointer, value] of unwritable) {
    it(`names the field that cannot be written (${pointer})`, () => {
      const check = (error: unknown) =>
        error instanceof UnwritableError && error.pointer === pointer;
      assert.throws(() => write(undefined, value), check);
      assert.throws(() => write(z.looseObject({}), value), check);
    });
  }

  it("refuses a value that refers to itself", () => {
    assert.throws(() => write(undefined, loop), UnwritableError);
  });
});
