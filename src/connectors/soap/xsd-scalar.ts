import { z } from "zod";
import type { ScalarShape } from "../../formats/xml-shape.ts";
import { markup } from "./markup.ts";

/** A simple type of XML Schema: a built-in one, narrowed by facets. */
export interface SimpleType {
  /** Such as `xs:string`. */
  readonly base: string;
  /** Written already. */
  readonly facets: readonly string[];
}

/** What XML Schema calls the texts of a scalar. */
export function simpleTypeOf({ schemas }: ScalarShape): SimpleType {
  const types = schemas.map(typeOf);
  const [first] = types;
  if (first !== undefined && types.length === 1) return first;
  const isOne = types.every(({ base }) => base === first?.base);
  const areValues = types.every(({ facets }) => facets.length > 0 && facets.every(isEnumeration));
  const facets = isOne && areValues ? types.flatMap((type) => type.facets) : [];
  return { base: isOne && first !== undefined ? first.base : "xs:string", facets };
}

/** The parts of a scalar's JSON Schema. */
interface JsonType {
  readonly type?: string;
  readonly format?: string;
  readonly contentEncoding?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

function typeOf(schema: z.ZodType): SimpleType {
  if (schema.def.type === "date") return { base: "xs:dateTime", facets: [] };
  if (schema.def.type === "bigint") return { base: "xs:integer", facets: [] };
  const json = jsonTypeOf(schema);
  const values = json.enum ?? (json.const === undefined ? undefined : [json.const]);
  if (values !== undefined) {
    return { base: baseOfValues(values), facets: values.map((one) => enumeration(String(one))) };
  }
  switch (json.type) {
    case "boolean":
      return { base: "xs:boolean", facets: [] };
    case "integer":
      return { base: "xs:long", facets: numberFacets(json) };
    case "number":
      return { base: "xs:double", facets: numberFacets(json) };
    default:
      return textType(json);
  }
}

function jsonTypeOf(schema: z.ZodType): JsonType {
  // Of a scalar, zod makes no more than the members above.
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonType;
}

const formats: ReadonlyMap<string, string> = new Map([
  ["date", "xs:date"],
  ["date-time", "xs:dateTime"],
  ["time", "xs:time"],
  ["duration", "xs:duration"],
  ["uri", "xs:anyURI"],
]);

function textType({ format, contentEncoding, minLength, maxLength }: JsonType): SimpleType {
  if (contentEncoding === "base64") return { base: "xs:base64Binary", facets: [] };
  const facets = [facet("minLength", minLength), facet("maxLength", maxLength)];
  return { base: formats.get(format ?? "") ?? "xs:string", facets: facets.flat() };
}

// Every integer of JSON has these bounds; xs:long says it well enough.
function numberFacets({ minimum, maximum }: JsonType): readonly string[] {
  const low = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const high = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  return [facet("minInclusive", low), facet("maxInclusive", high)].flat();
}

function facet(name: string, value: number | undefined): readonly string[] {
  return value === undefined ? [] : [markup(`xs:${name}`, { value: String(value) })];
}

function baseOfValues(values: readonly unknown[]): string {
  if (values.every((one) => typeof one === "boolean")) return "xs:boolean";
  if (values.every((one) => typeof one === "number")) {
    return values.every(Number.isInteger) ? "xs:long" : "xs:double";
  }
  return "xs:string";
}

function enumeration(value: string): string {
  return markup("xs:enumeration", { value });
}

function isEnumeration(text: string): boolean {
  return text.startsWith("<xs:enumeration");
}
