import { xsdNamespace } from "../../xml/namespaces.ts";
import type { XsdAnything, XsdFacets, XsdPrimitive, XsdSimple, XsdType } from "./model.ts";

export const anything: XsdAnything = { kind: "anything" };

type Row = readonly [primitive: XsdPrimitive, facets?: XsdFacets];

const least = (minimum: number): XsdFacets => ({ minimum });
const between = (minimum: number, maximum: number): XsdFacets => ({ minimum, maximum });

const rows: Readonly<Record<string, Row>> = {
  string: ["string"],
  normalizedString: ["string"],
  token: ["token"],
  language: ["token"],
  Name: ["token"],
  NCName: ["token"],
  NMTOKEN: ["token"],
  ID: ["token"],
  IDREF: ["token"],
  ENTITY: ["token"],
  QName: ["token"],
  NOTATION: ["token"],
  anyURI: ["token"],
  duration: ["token"],
  gYear: ["token"],
  gYearMonth: ["token"],
  gMonth: ["token"],
  gMonthDay: ["token"],
  gDay: ["token"],
  boolean: ["boolean"],
  decimal: ["decimal"],
  float: ["double"],
  double: ["double"],
  integer: ["integer"],
  long: ["integer"],
  int: ["integer", between(-2_147_483_648, 2_147_483_647)],
  short: ["integer", between(-32_768, 32_767)],
  byte: ["integer", between(-128, 127)],
  nonNegativeInteger: ["integer", least(0)],
  positiveInteger: ["integer", least(1)],
  nonPositiveInteger: ["integer", { maximum: 0 }],
  negativeInteger: ["integer", { maximum: -1 }],
  unsignedLong: ["integer", least(0)],
  unsignedInt: ["integer", between(0, 4_294_967_295)],
  unsignedShort: ["integer", between(0, 65_535)],
  unsignedByte: ["integer", between(0, 255)],
  date: ["date"],
  dateTime: ["dateTime"],
  time: ["time"],
  base64Binary: ["base64"],
  hexBinary: ["hex"],
  anySimpleType: ["string"],
  anyAtomicType: ["string"],
};

const types = new Map<string, XsdType>([
  ["anyType", anything],
  ...Object.entries(rows).map(([name, [primitive, facets = {}]]) =>
    [name, {
      kind: "simple",
      id: { namespace: xsdNamespace, name },
      primitive,
      facets,
    }] as const
  ),
]);
for (const [name, of] of [["NMTOKENS", "NMTOKEN"], ["IDREFS", "IDREF"], ["ENTITIES", "ENTITY"]]) {
  types.set(name!, listOf(types.get(of!) as XsdSimple)); // a row above
}

/** The types that every schema has, by local name. */
export const builtinTypes: ReadonlyMap<string, XsdType> = types;

/** What a simple type is that says nothing else. */
export const anySimple = types.get("string") as XsdSimple; // a row above

/** A list of values, apart by spaces. */
export function listOf(item: XsdSimple, more: Partial<XsdSimple> = {}): XsdSimple {
  return { kind: "simple", id: undefined, primitive: "string", facets: {}, item, ...more };
}
