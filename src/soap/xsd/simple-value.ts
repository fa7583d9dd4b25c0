import { UnwritableError } from "../../formats/format.ts";
import type { XsdFacets, XsdPrimitive, XsdSimple } from "./model.ts";

/** A text as a value; a text that is not of its type stays a text. */
export function readSimple(type: XsdSimple, text: string): unknown {
  const { item, members, primitive } = type;
  if (item !== undefined) {
    return text.trim() === "" ? [] : text.trim().split(/\s+/).map((one) => readSimple(item, one));
  }
  if (members !== undefined) {
    const fitting = members.find((member) => problemOf(member, text.trim()) === undefined);
    return fitting === undefined ? text : readSimple(fitting, text);
  }
  if (primitive === "string") return text;
  const trimmed = text.trim();
  switch (primitive) {
    case "boolean":
      return trimmed === "true" || trimmed === "1" ||
        (trimmed !== "false" && trimmed !== "0" && trimmed);
    case "integer":
    case "decimal":
    case "double":
      return readNumber(primitive, trimmed);
    case "base64":
      return trimmed.replace(/\s+/g, "");
    default:
      return trimmed.replace(/\s+/g, " ");
  }
}

/** More digits than a number holds stay a text, so that none is lost. */
function readNumber(primitive: XsdPrimitive, text: string): unknown {
  if (!lexical[primitive].test(text)) return text;
  const value = Number(text);
  if (!Number.isFinite(value)) return text;
  if (primitive === "integer") return Number.isSafeInteger(value) ? value : text;
  const digits = text.replace(/[^0-9]/g, "").replace(/^0+/, "");
  return primitive === "double" || digits.length <= 15 ? value : text;
}

const date = "-?\\d{4,}-\\d\\d-\\d\\d";
const time = "\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?";
const zone = "(Z|[+-]\\d\\d:\\d\\d)?";

const lexical: Readonly<Record<XsdPrimitive, RegExp>> = {
  string: /^/,
  token: /^/,
  boolean: /^(true|false|1|0)$/,
  integer: /^[+-]?\d+$/,
  decimal: /^[+-]?(\d+(\.\d*)?|\.\d+)$/,
  double: /^([+-]?(\d+(\.\d*)?|\.\d+)([Ee][+-]?\d+)?|[+-]?INF|NaN)$/,
  date: new RegExp(`^${date}${zone}$`),
  dateTime: new RegExp(`^${date}T${time}${zone}$`),
  time: new RegExp(`^${time}${zone}$`),
  base64: /^[A-Za-z0-9+/\s]*={0,2}\s*$/,
  hex: /^([0-9A-Fa-f]{2})*$/,
};

const words: Readonly<Record<XsdPrimitive, string>> = {
  string: "text",
  token: "text",
  boolean: "true or false",
  integer: "an integer",
  decimal: "a number",
  double: "a number",
  date: "a date such as 2026-01-31",
  dateTime: "a time such as 2026-01-31T12:00:00Z",
  time: "a time such as 12:00:00",
  base64: "base64",
  hex: "hexadecimal",
};

/** A value as text. Throws an UnwritableError for one that is not of the type. */
export function writeSimple(type: XsdSimple, value: unknown): string {
  const { item } = type;
  const text = item !== undefined && Array.isArray(value)
    ? value.map((one) => writeSimple(item, one)).join(" ")
    : scalarText(type.primitive, value);
  const problem = problemOf(type, text);
  if (problem !== undefined) throw new UnwritableError("", problem);
  return text;
}

function problemOf(
  { item, members, primitive, facets }: XsdSimple,
  text: string,
): string | undefined {
  if (item !== undefined) {
    const items = text.split(/\s+/).filter((one) => one !== "");
    for (const one of items) {
      const problem = problemOf(item, one);
      if (problem !== undefined) return problem;
    }
    return facetProblem(facets, { text, length: items.length });
  }
  if (members !== undefined && members.length > 0) {
    const problems = members.map((member) => problemOf(member, text));
    return problems.includes(undefined) ? undefined : problems[0];
  }
  if (!lexical[primitive].test(text)) return `It is not ${words[primitive]}`;
  const length = primitive === "base64"
    ? Buffer.byteLength(text, "base64")
    : primitive === "hex"
    ? text.length / 2
    : text.length;
  const isNumber = primitive === "integer" || primitive === "decimal" || primitive === "double";
  return facetProblem(facets, { text, length, ...isNumber ? { number: Number(text) } : {} });
}

function facetProblem(
  { values, minimum, maximum, minLength, maxLength }: XsdFacets,
  { text, length, number }: {
    readonly text: string;
    readonly length: number;
    readonly number?: number;
  },
): string | undefined {
  if (values !== undefined && !values.includes(text)) {
    return `It is none of ${values.slice(0, 10).map((one) => `"${one}"`).join(", ")}`;
  }
  if (number !== undefined && minimum !== undefined && number < minimum) {
    return `It is less than ${minimum}`;
  }
  if (number !== undefined && maximum !== undefined && number > maximum) {
    return `It is more than ${maximum}`;
  }
  if (minLength !== undefined && length < minLength) return `It is shorter than ${minLength}`;
  return maxLength !== undefined && length > maxLength
    ? `It is longer than ${maxLength}`
    : undefined;
}

function scalarText(primitive: XsdPrimitive, value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return numberText(primitive, value);
    default:
  }
  if (value instanceof Date && !Number.isNaN(value.getTime())) {
    const text = value.toISOString();
    return primitive === "date" ? text.slice(0, 10) : primitive === "time" ? text.slice(11) : text;
  }
  if (value instanceof Uint8Array) {
    return Buffer.from(value).toString(primitive === "hex" ? "hex" : "base64");
  }
  throw new UnwritableError("", `It is not ${words[primitive]}`);
}

function numberText(primitive: XsdPrimitive, value: number): string {
  if (Number.isFinite(value)) {
    // Decimals have no exponent.
    return primitive === "double" || !/e/.test(String(value))
      ? String(value)
      : value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });
  }
  if (primitive !== "double") throw new UnwritableError("", `It is ${value}`);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "INF" : "-INF";
}
