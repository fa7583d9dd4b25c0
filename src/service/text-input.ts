import type { z } from "zod";
import type { Schema } from "./schema.ts";

/** What a text means for its field; the text itself when it means nothing better. */
export type Reading = (text: string) => unknown;

interface FieldReading {
  readonly read: Reading;
  /** The field takes a list: a single text is a list of one. */
  readonly isList: boolean;
}

/**
 * Reads the fields of inputs that can only carry text (path, query, forms) as the types that a
 * schema declares. A text that is not of that type stays text, so that validation says so.
 */
export interface TextInput {
  /** `texts`: all values that came for the field, at least one. */
  read(field: string, texts: readonly string[]): unknown;
  /** False when the schema takes something other than an object, such as a list. */
  readonly isObject: boolean;
}

/** Walks a schema, once a channel. Schemas that are not zod's leave every text as it is. */
export function compileTextInput(schema: Schema | undefined): TextInput {
  const definition = definitionOf(schema);
  const fields = new Map<string, FieldReading>();
  const rest = definition === undefined ? undefined : collectFields(definition, fields);
  return {
    isObject: definition === undefined || isObjectLike(definition),
    read(field, texts) {
      const reading = fields.get(field) ?? rest;
      if (reading === undefined) return texts.length === 1 ? texts[0] : texts;
      const values = texts.map(reading.read);
      return values.length === 1 && !reading.isList ? values[0] : values;
    },
  };
}

/** The parts of zod's schema definitions that matter here, whatever the type. */
export interface Definition {
  readonly type: string;
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly out?: unknown;
  readonly getter?: () => unknown;
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly catchall?: unknown;
  readonly options?: readonly unknown[];
  readonly left?: unknown;
  readonly right?: unknown;
  readonly valueType?: unknown;
  readonly element?: unknown;
  readonly items?: readonly unknown[];
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
}

// Wrappers around wrappers end here; a schema that refers to itself only through optional fields
// never gets this deep.
const depthMax = 32;

/** The definition behind optional, default and similar wrappers. */
export function definitionOf(schema: unknown, depth = 0): Definition | undefined {
  if (typeof schema !== "object" || schema === null || !("_zod" in schema)) return undefined;
  if (depth > depthMax) return undefined;
  const definition: Definition = (schema as z.ZodType).def; // zod's own objects carry `_zod`
  const inner = definition.innerType ?? definition.in ?? definition.getter?.();
  const isWrapper = inner !== undefined && definition.type !== "promise";
  return isWrapper ? definitionOf(inner, depth + 1) : definition;
}

/** Fills `fields`; returns the reading of fields that are not named, if there is one. */
function collectFields(
  definition: Definition,
  fields: Map<string, FieldReading>,
): FieldReading | undefined {
  if (definition.shape !== undefined) {
    for (const [name, schema] of Object.entries(definition.shape)) {
      const reading = readingOf(schema);
      const other = fields.get(name);
      fields.set(name, other === undefined ? reading : either(other, reading));
    }
    return definition.catchall === undefined ? undefined : readingOf(definition.catchall);
  }
  if (definition.valueType !== undefined) return readingOf(definition.valueType);
  const parts = definition.options ?? [definition.left, definition.right];
  let rest: FieldReading | undefined;
  for (const part of parts) {
    const inner = definitionOf(part);
    if (inner !== undefined) rest = collectFields(inner, fields) ?? rest;
  }
  return rest;
}

function isObjectLike({ type, options, left }: Definition): boolean {
  if (type === "object" || type === "record" || type === "any" || type === "unknown") return true;
  const parts = options ?? (left === undefined ? [] : [left]);
  return parts.some((part) => {
    const inner = definitionOf(part);
    return inner !== undefined && isObjectLike(inner);
  });
}

function readingOf(schema: unknown): FieldReading {
  const definition = definitionOf(schema);
  if (definition?.type === "array" || definition?.type === "set") {
    const element = definition.element ?? definition.valueType;
    return { read: readingOf(element).read, isList: true };
  }
  return { read: scalarReading(definition), isList: definition?.type === "tuple" };
}

/** How one text is read as what a definition declares; lists and objects leave it as it is. */
export function scalarReading(definition: Definition | undefined): Reading {
  switch (definition?.type) {
    case "number":
      return readNumber;
    case "bigint":
      return (text) => /^[+-]?\d{1,1000}$/.test(text) ? BigInt(text) : text;
    case "boolean":
      return readBoolean;
    case "date":
      return readDate;
    case "literal":
      return readOneOf(definition.values ?? []);
    case "enum":
      return readOneOf(Object.values(definition.entries ?? {}));
    case "union":
      return readUnion(definition.options ?? []);
    default:
      return (text) => text;
  }
}

// Number() also takes "", " 1 ", "0x1f" and "Infinity", which nobody means as a number in a query.
function readNumber(text: string): unknown {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

function readBoolean(text: string): unknown {
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : text;
}

function readDate(text: string): unknown {
  // ISO 8601 only: what else Date takes depends on the runtime.
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text)) return text;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date;
}

function readOneOf(values: readonly unknown[]): Reading {
  const byText = new Map(values.map((value) => [String(value), value]));
  return (text) => byText.has(text) ? byText.get(text) : text;
}

function readUnion(options: readonly unknown[]): Reading {
  const definitions = options.map((option) => definitionOf(option));
  // Where text itself is allowed, nothing tells a number from a text that looks like one.
  if (definitions.some((definition) => definition?.type === "string")) return (text) => text;
  const readings = definitions.map(scalarReading);
  return (text) => {
    for (const read of readings) {
      const value = read(text);
      if (value !== text) return value;
    }
    return text;
  };
}

// Two objects of a union may declare one field differently: the first that can read a text does.
function either(a: FieldReading, b: FieldReading): FieldReading {
  const read: Reading = (text) => {
    const value = a.read(text);
    return value === text ? b.read(text) : value;
  };
  return { read, isList: a.isList && b.isList };
}
