import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { defineService } from "../../service/define-service.ts";
import type { Schema } from "../../service/schema.ts";
import type { XmlElement } from "../../xml/element.ts";
import { parseXml } from "../../xml/parse.ts";
import { attributeOf, childElements } from "../../xml/query.ts";
import { soapChannel } from "./index.ts";
import { compileMessages, type SoapStyle } from "./operation.ts";
import { versionsOf } from "../../soap/version.ts";
import { renderWsdl } from "./wsdl.ts";

interface Tree {
  readonly name: string;
  readonly parts: readonly Tree[];
}

const tree: z.ZodType<Tree> = z.object({
  name: z.string(),
  get parts() {
    return z.array(tree);
  },
}).meta({ id: "Tree" });

const money = z.object({
  currency: z.enum(["EUR", "USD"]).meta({ xml: { attribute: true } }),
  amount: z.number().meta({ xml: { text: true }, description: "In units <not cents>" }),
}).meta({ id: "Money" });

const everything = z.object({
  tree,
  money,
  prices: z.array(money).optional(),
  flag: z.boolean().nullable(),
  choice: z.discriminatedUnion("t", [
    z.object({ t: z.literal("a"), v: z.number() }),
    z.object({ t: z.literal("b"), w: z.string() }),
  ]),
  either: z.union([z.int(), z.string()]),
  labels: z.record(z.string(), z.string()),
  matrix: z.array(z.array(z.number())),
  big: z.bigint(),
  bytes: z.base64(),
  day: z.iso.date(),
  at: z.iso.datetime(),
  code: z.string().min(2).max(3),
  level: z.int().min(1).max(5),
  pair: z.tuple([z.string(), z.int()]),
  foreign: z.string().meta({ xml: { namespace: "urn:other" } }),
  anything: z.any(),
  defaulted: z.string().default("x"),
});

function wsdlOf(
  style: SoapStyle,
  { input, output }: { readonly input?: Schema; readonly output?: Schema },
): XmlElement {
  const service = defineService({
    name: "all",
    ...input === undefined ? {} : { input },
    ...output === undefined ? {} : { output },
    handle: () => ({}),
  });
  const names = { name: "All", action: "urn:t#All", style, namespace: "urn:t" };
  const operation = { ...compileMessages(service, names), runnable: { service, slot: 1 } };
  return parseXml(renderWsdl({
    name: "all & sundry",
    description: undefined,
    namespace: "urn:t",
    style,
    versions: versionsOf("both"),
    operations: [operation],
    address: "http://127.0.0.1/all",
  }));
}

function all(element: XmlElement): readonly XmlElement[] {
  return [element, ...childElements(element).flatMap(all)];
}

/** Names of types that are defined, and of types that are used. */
function types(wsdl: XmlElement): { readonly made: string[]; readonly used: string[] } {
  const elements = all(wsdl);
  const isType = ({ name }: XmlElement) => name === "complexType" || name === "simpleType";
  return {
    made: elements.filter(isType).flatMap((one) => attributeOf(one, "name") ?? []),
    used: elements.flatMap((one) => attributeOf(one, "type") ?? [])
      .filter((type) => type.startsWith("tns:") && !type.endsWith("PortType"))
      .map((type) => type.slice(4)),
  };
}

function elementNamed(wsdl: XmlElement, name: string): XmlElement {
  const found = all(wsdl).find((one) => attributeOf(one, "name") === name);
  assert.ok(found, name);
  return found;
}

describe("renderWsdl", () => {
  for (const style of ["document", "rpc"] as const) {
    it(`defines every type that it uses, once (${style})`, () => {
      const { made, used } = types(wsdlOf(style, { input: everything, output: everything }));

      assert.deepEqual([...new Set(used)].filter((name) => !made.includes(name)), []);
      assert.equal(new Set(made).size, made.length, made.join(" "));
      assert.ok(made.includes("Tree") && made.includes("Money"), made.join(" "));
      assert.ok(!made.includes("Tree2"), "equal types are not shared");
    });
  }

  it("keeps types of one name apart when they differ", () => {
    const input = z.object({ a: z.object({ b: z.string() }).meta({ id: "Same" }) });
    const output = z.object({ a: z.object({ b: z.int() }).meta({ id: "Same" }) });

    const { made } = types(wsdlOf("document", { input, output }));

    assert.deepEqual(made.filter((name) => name.startsWith("Same")), ["Same", "Same2"]);
  });

  it("says what may be absent, repeated and null", () => {
    const wsdl = wsdlOf("document", { input: everything });
    const occurs = (name: string) =>
      ["minOccurs", "maxOccurs", "nillable", "type"].map((key) =>
        attributeOf(elementNamed(wsdl, name), key)
      );

    assert.deepEqual(occurs("prices"), ["0", "unbounded", undefined, "tns:Money"]);
    assert.deepEqual(occurs("flag"), [undefined, undefined, "true", "xs:boolean"]);
    assert.deepEqual(occurs("defaulted"), ["0", undefined, undefined, "xs:string"]);
    assert.deepEqual(occurs("big")[3], "xs:integer");
    assert.deepEqual(occurs("bytes")[3], "xs:base64Binary");
    assert.deepEqual(occurs("day")[3], "xs:date");
    assert.deepEqual(occurs("at")[3], "xs:dateTime");
    assert.deepEqual(occurs("anything")[3], "xs:anyType");
    const facets = all(elementNamed(wsdl, "level")).map((one) => attributeOf(one, "value"));
    assert.deepEqual(facets.filter((one) => one !== undefined), ["1", "5"]);
  });

  it("stands without schemas", () => {
    const { made, used } = types(wsdlOf("rpc", {}));

    assert.deepEqual(used.filter((name) => !made.includes(name)), []);
  });
});

describe("SoapChannel", () => {
  const base = { path: "/s", security: "none" };
  const parse = (more: object) => soapChannel.schema.safeParse({ ...base, ...more });

  it("takes a service, or operations", () => {
    assert.ok(parse({ service: "a" }).success);
    assert.ok(parse({ operations: { A: "a" } }).success);
  });

  const wrong: readonly (readonly [object, RegExp])[] = [
    [{}, /exactly one of service and operations/],
    [{ service: "a", operations: { A: "a" } }, /exactly one of service and operations/],
    [{ operations: {} }, /at least one operation/],
    [{ operations: { "1 a": "a" } }, /name of an operation|Invalid key/],
    [{ service: "a", version: "2" }, /Invalid option/],
    [{ service: "a", path: "s" }, /does not begin/],
    [{ service: "a", roles: ["r"] }, /Roles need/],
    [{ service: "a", understands: ["Tenant"] }, /\{namespace\}name/],
    [{ service: "a", namespace: "a b" }, /no spaces/],
  ];
  for (const [more, reason] of wrong) {
    it(`refuses ${JSON.stringify(more)}`, () => {
      const { success, error } = parse(more);
      assert.equal(success, false);
      assert.match(error?.message ?? "", reason);
    });
  }

  it("takes its path for itself: to post to, and to read the WSDL", () => {
    const keys = (more: object) =>
      soapChannel.claims?.(soapChannel.schema.parse({ ...base, service: "a", ...more }))
        .map(({ what }) => what);
    assert.deepEqual(keys({}), ['GET at "/s"', 'POST at "/s"']);
    assert.deepEqual(keys({ wsdl: "none" }), ['POST at "/s"']);
  });
});
