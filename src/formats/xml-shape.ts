import type { z } from "zod";
import {
  type Definition,
  definitionOf,
  type Reading,
  scalarReading,
} from "../service/text-input.ts";
import type { Schema } from "../service/schema.ts";

/**
 * What a field says of its XML, as `.meta({ xml: { ... } })`. Without it a field is an element
 * with the field's name, and a list is that element repeated.
 */
export interface XmlMeta {
  /** Name of the element or attribute. Default: the field's. */
  readonly name?: string;
  /** Namespace of the element or attribute. Default: that of what is around it. */
  readonly namespace?: string;
  /** True: an attribute of the object's element. */
  readonly attribute?: boolean;
  /** True: the text of the object's element, for text that has attributes. */
  readonly text?: boolean;
  /** A list inside an element of its own; the name of its items, or true for `item`. */
  readonly wrapped?: boolean | string;
}

/** Which side of a schema: what it takes, or what it gives. */
export type XmlDirection = "input" | "output";

/** How a schema's values look in XML: what reader, writer and XSD are made of. */
export type XmlShape = ScalarShape | ListShape | ObjectShape | RecordShape | AnyShape;

/** A text. */
export interface ScalarShape {
  readonly type: "scalar";
  /** The text as the type that the schema declares, or as it is. */
  readonly read: Reading;
  /** True where white space around the text is part of it. */
  readonly keepsSpace: boolean;
  /** The schema behind it; several for a union. */
  readonly schemas: readonly z.ZodType[];
}

/** Items, each an element. */
export interface ListShape {
  readonly type: "list";
  readonly item: XmlValue;
  readonly isSet: boolean;
}

export interface ObjectShape {
  readonly type: "object";
  /** Made when first asked for: a schema may refer to itself. */
  readonly fields: readonly XmlField[];
  /** Elements and attributes that no field has: left out, or kept as plain values. */
  readonly unknown: "dropped" | "kept";
  /** Of the schema's metadata. */
  readonly id: string | undefined;
  readonly description: string | undefined;
}

/** Elements named by keys. */
export interface RecordShape {
  readonly type: "record";
  readonly value: XmlValue;
}

/** Whatever comes: see `readPlain`. */
export interface AnyShape {
  readonly type: "any";
}

/** A value in its place. */
export interface XmlValue {
  readonly shape: XmlShape;
  /** May be absent. */
  readonly isOptional: boolean;
  /** May be null: `xsi:nil`. */
  readonly isNullable: boolean;
  readonly xml: XmlMeta;
  readonly description: string | undefined;
}

/** A member of an object. */
export interface XmlField extends XmlValue {
  readonly key: string;
  /** Of its element or attribute. */
  readonly name: string;
  readonly place: "element" | "attribute" | "text";
  /** Name of the items of a list that has an element of its own; undefined for all else. */
  readonly itemName: string | undefined;
}

/** Name of the items of lists that have an element of their own. */
export const defaultItemName = "item";

const anything: XmlValue = {
  shape: { type: "any" },
  isOptional: true,
  isNullable: true,
  xml: {},
  description: undefined,
};

/** Walks a schema. Schemas that are not zod's take and give anything. */
export function xmlValueOf(schema: Schema | undefined, direction: XmlDirection): XmlValue {
  return new ShapeReader(direction).value(schema);
}

/** A list at a field, as the element that is around it and the items in it. */
export function wrapList(field: XmlField): XmlField {
  const isBare = field.shape.type === "list" && field.itemName === undefined;
  return isBare ? { ...field, itemName: defaultItemName } : field;
}

/** Wrappers in wrappers end here. */
const wrappersMax = 32;

interface Unwrapped {
  readonly schema: z.ZodType;
  readonly isNullable: boolean;
  readonly xml: XmlMeta;
  readonly id: string | undefined;
  readonly description: string | undefined;
}

class ShapeReader {
  readonly #direction: XmlDirection;
  readonly #objects = new Map<unknown, ObjectShape>();

  constructor(direction: XmlDirection) {
    this.#direction = direction;
  }

  value(schema: unknown): XmlValue {
    if (!isZod(schema)) return anything;
    const inner = this.#unwrap(schema);
    if (inner === undefined) return anything;
    const { isNullable, xml, description } = inner;
    const { optin, optout } = schema._zod;
    // What has a default may be absent on both sides, so that both share one type in a WSDL.
    const isOptional = (optin ?? optout) !== undefined;
    return { shape: this.#shape(inner), isOptional, isNullable, xml, description };
  }

  #unwrap(outer: z.ZodType): Unwrapped | undefined {
    let schema: unknown = outer;
    let isNullable = false;
    let xml: XmlMeta = {};
    let id: string | undefined;
    let description: string | undefined;
    for (let depth = 0; depth < wrappersMax && isZod(schema); depth++) {
      const meta = schema.meta?.();
      // What stands nearer to the field goes before what its type says of itself.
      xml = { ...(meta?.["xml"] as XmlMeta | undefined), ...xml }; // said by the author of the schema
      id ??= meta?.id;
      description ??= meta?.description;
      const next = this.#next(schema);
      if (next === undefined) return { schema, isNullable, xml, id, description };
      isNullable ||= next.isNull;
      schema = next.schema;
    }
    return undefined;
  }

  /** The schema inside a wrapper; undefined for one that is none. */
  #next(schema: z.ZodType): { readonly schema: unknown; readonly isNull: boolean } | undefined {
    const definition = wrapperDefinition(schema);
    if (definition.type === "pipe") {
      const { in: source, out } = definition;
      const isFirst = this.#direction === "input" && typeOf(source) !== "transform";
      return { schema: isFirst ? source : out, isNull: false };
    }
    if (definition.type === "union") {
      const options = (definition.options ?? []).filter((one) => !isNothing(one));
      if (options.length !== 1) return undefined;
      const isNull = definition.options?.some((one) => typeOf(one) === "null") ?? false;
      return { schema: options[0], isNull };
    }
    const inner = definition.getter?.() ?? definition.innerType;
    return inner === undefined
      ? undefined
      : { schema: inner, isNull: definition.type === "nullable" };
  }

  #shape(inner: Unwrapped): XmlShape {
    const { schema } = inner;
    const definition = wrapperDefinition(schema);
    switch (definition.type) {
      case "object":
      case "intersection":
        return this.#object(inner);
      case "array":
        return { type: "list", item: this.value(definition.element), isSet: false };
      case "set":
        return { type: "list", item: this.value(definition.valueType), isSet: true };
      case "tuple":
        return { type: "list", item: anything, isSet: false };
      case "record":
        return { type: "record", value: this.value(definition.valueType) };
      case "union":
        return this.#union(inner);
      case "any":
      case "unknown":
      case "custom":
      case "map":
      case "transform":
      case "never":
        return { type: "any" };
      default:
        return scalar([schema]);
    }
  }

  // Objects of a union become one object that has the fields of all of them.
  #union(inner: Unwrapped): XmlShape {
    const options = (wrapperDefinition(inner.schema).options ?? []).filter((one) => !isNothing(one))
      .map((one) => this.value(one));
    const shapes = options.map(({ shape }) => shape);
    if (shapes.every((shape) => shape.type === "scalar")) {
      return scalar(shapes.flatMap(({ schemas }) => schemas), inner.schema);
    }
    return shapes.every((shape) => shape.type === "object") ? this.#object(inner) : { type: "any" };
  }

  #object({ schema, id, description }: Unwrapped): ObjectShape {
    const known = this.#objects.get(schema);
    if (known !== undefined) return known;
    let fields: readonly XmlField[] | undefined;
    const collect = () => this.#fields(schema);
    const shape: ObjectShape = {
      type: "object",
      id,
      description,
      unknown: keepsUnknown(schema) ? "kept" : "dropped",
      get fields() {
        return fields ??= collect();
      },
    };
    this.#objects.set(schema, shape);
    return shape;
  }

  #fields(schema: z.ZodType): readonly XmlField[] {
    const { shape, options, left, right } = wrapperDefinition(schema);
    if (shape !== undefined) {
      return Object.entries(shape).map(([key, one]) => fieldOf(key, this.value(one)));
    }
    const parts = (options ?? [left, right]).map((one) => this.value(one).shape)
      .filter((part) => part.type === "object");
    const isChoice = options !== undefined;
    const merged = new Map<string, XmlField>();
    for (const part of parts) {
      for (const field of part.fields) {
        const other = merged.get(field.key);
        merged.set(field.key, other === undefined ? field : either(other, field));
      }
    }
    return [...merged.values()].map((field) => {
      const isEverywhere = parts.every((part) => part.fields.some(({ key }) => key === field.key));
      return isChoice && !isEverywhere ? { ...field, isOptional: true } : field;
    });
  }
}

function fieldOf(key: string, value: XmlValue): XmlField {
  const { name = key, attribute, text, wrapped } = value.xml;
  const itemName = wrapped === true ? defaultItemName : wrapped || undefined;
  const place = attribute === true ? "attribute" : text === true ? "text" : "element";
  return { ...value, key, name, place, itemName };
}

function either(a: XmlField, b: XmlField): XmlField {
  const more = {
    isOptional: a.isOptional || b.isOptional,
    isNullable: a.isNullable || b.isNullable,
  };
  if (a.shape.type === "scalar" && b.shape.type === "scalar") {
    return { ...a, ...more, shape: scalar([...a.shape.schemas, ...b.shape.schemas]) };
  }
  return a.shape === b.shape ? { ...a, ...more } : { ...a, ...more, shape: { type: "any" } };
}

/** `union`: the schema of which `schemas` are the options. */
function scalar(schemas: readonly z.ZodType[], union?: z.ZodType): ScalarShape {
  const readings = union === undefined
    ? schemas.map((schema) => scalarReading(definitionOf(schema)))
    : [scalarReading(definitionOf(union))];
  const keepsSpace = schemas.some((schema) => typeOf(schema) === "string");
  return { type: "scalar", read: firstReading(readings), keepsSpace, schemas };
}

function firstReading(readings: readonly Reading[]): Reading {
  if (readings.length === 1) return readings[0]!;
  return (text) => {
    for (const read of readings) {
      const value = read(text);
      if (value !== text) return value;
    }
    return text;
  };
}

function wrapperDefinition(schema: z.ZodType): Definition {
  return schema.def;
}

function isZod(schema: unknown): schema is z.ZodType {
  return typeof schema === "object" && schema !== null && "_zod" in schema;
}

function typeOf(schema: unknown): string | undefined {
  return isZod(schema) ? wrapperDefinition(schema).type : undefined;
}

function isNothing(schema: unknown): boolean {
  const type = typeOf(schema);
  return type === "null" || type === "undefined" || type === "void";
}

// A strict schema refuses what it does not know, and a loose one takes it: both must see it.
function keepsUnknown(schema: z.ZodType): boolean {
  const { catchall, options, left, right } = wrapperDefinition(schema);
  if (catchall !== undefined) return true;
  const parts = options ?? (left === undefined ? [] : [left, right]);
  return parts.some((part) => isZod(part) && keepsUnknown(part));
}
