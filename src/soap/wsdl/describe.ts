import { attributeKey, fieldsOf, textKey, typeKey } from "../xsd/fields.ts";
import type { XsdComplex, XsdFacets, XsdPrimitive, XsdSimple, XsdType } from "../xsd/model.ts";
import type { WsdlMessage } from "./model.ts";
import { readWsdl } from "./read-wsdl.ts";
import { choosePort, type PortChoice } from "./choose-port.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

/** What an operation takes and answers, as JSON Schemas that stand for themselves. */
export interface OperationSchemas {
  readonly input: JsonSchema;
  readonly output: JsonSchema;
}

/**
 * The operations of one port of a WSDL. Throws XML_* and SOAP_WSDL_INVALID.
 */
export function describeWsdl(
  text: string,
  choice: PortChoice = {},
): Readonly<Record<string, OperationSchemas>> {
  const wsdl = readWsdl(text);
  const { operations } = choosePort(wsdl, choice);
  return Object.fromEntries(
    [...operations.values()].map(({ name, input, output }) => [name, {
      input: schemaOf(input, "input", (type) => wsdl.types.descendants(type)),
      output: output === undefined
        ? { type: "null" }
        : schemaOf(output, "output", (type) => wsdl.types.descendants(type)),
    }]),
  );
}

type Direction = "input" | "output";
type Descendants = (type: XsdComplex) => readonly XsdComplex[];

function schemaOf(
  message: WsdlMessage,
  direction: Direction,
  descendants: Descendants,
): JsonSchema {
  const writer = new SchemaWriter(direction, descendants);
  const schema = message.style === "document"
    ? message.element === undefined ? { type: "null" } : writer.type(message.element.type)
    : {
      type: "object",
      properties: Object.fromEntries(
        message.parts.map((part) => [part.name, writer.type(part.type)]),
      ),
      required: message.parts.map(({ name }) => name),
      additionalProperties: false,
    };
  return writer.definitions === undefined ? schema : { ...schema, $defs: writer.definitions };
}

class SchemaWriter {
  readonly #names = new Map<XsdComplex, string>();
  readonly #definitions: Record<string, JsonSchema> = {};
  readonly #direction: Direction;
  readonly #descendants: Descendants;

  constructor(direction: Direction, descendants: Descendants) {
    this.#direction = direction;
    this.#descendants = descendants;
  }

  get definitions(): JsonSchema | undefined {
    return Object.keys(this.#definitions).length === 0 ? undefined : this.#definitions;
  }

  type(type: XsdType): JsonSchema {
    switch (type.kind) {
      case "anything":
        return {};
      case "simple":
        return simpleSchema(type);
      case "complex":
        return this.#complex(type);
    }
  }

  #complex(type: XsdComplex): JsonSchema {
    const { scalar } = fieldsOf(type);
    if (scalar !== undefined) return simpleSchema(scalar);
    const derived = this.#descendants(type);
    if (derived.length === 0) return this.#reference(type);
    const own = type.isAbstract ? [] : [this.#reference(type)];
    return { anyOf: [...own, ...derived.map((one) => this.#reference(one))] };
  }

  #reference(type: XsdComplex): JsonSchema {
    let name = this.#names.get(type);
    if (name === undefined) {
      const wanted = type.id?.name ?? "Type";
      name = wanted;
      for (let count = 2; Object.hasOwn(this.#definitions, name); count++) {
        name = `${wanted}${count}`;
      }
      this.#names.set(type, name);
      // Taken before its members are looked at: one of them may be of this very type.
      this.#definitions[name] = {};
      this.#definitions[name] = this.#object(type);
    }
    return { $ref: `#/$defs/${name}` };
  }

  #object(type: XsdComplex): JsonSchema {
    const { attributes, text, isMixed, takesAnyAttribute, base } = type.content;
    const { fields, takesAnyElement } = fieldsOf(type);
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    if (base !== undefined && type.id !== undefined) {
      properties[typeKey] = { const: type.id.name };
    }
    for (const attribute of attributes) {
      const key = attributeKey(attribute);
      properties[key] = simpleSchema(attribute.type);
      if (attribute.isRequired && attribute.fixed === undefined) required.push(key);
    }
    if (text !== undefined) properties[textKey] = simpleSchema(text);
    else if (isMixed) properties[textKey] = { type: "string" };
    for (const { key, element, isList, isRequired } of fields.values()) {
      const own = this.type(element.type);
      const item = element.isNillable ? { anyOf: [own, { type: "null" }] } : own;
      const about = element.description === undefined ? {} : { description: element.description };
      properties[key] = isList ? { type: "array", items: item, ...about } : { ...item, ...about };
      // What comes always has its lists, empty ones too.
      const isAlways = isList && this.#direction === "output";
      if (isAlways || (isRequired && element.fixed === undefined)) required.push(key);
    }
    return {
      type: "object",
      ...type.description === undefined ? {} : { description: type.description },
      properties,
      ...required.length === 0 ? {} : { required },
      additionalProperties: takesAnyElement || takesAnyAttribute,
    };
  }
}

const bases: Readonly<Record<XsdPrimitive, JsonSchema>> = {
  string: { type: "string" },
  token: { type: "string" },
  boolean: { type: "boolean" },
  integer: { type: "integer" },
  decimal: { type: "number" },
  double: { type: "number" },
  date: { type: "string", format: "date" },
  dateTime: { type: "string", format: "date-time" },
  time: { type: "string", format: "time" },
  base64: { type: "string", contentEncoding: "base64" },
  hex: { type: "string" },
};

function simpleSchema({ item, members, primitive, facets }: XsdSimple): JsonSchema {
  if (item !== undefined) return { type: "array", items: simpleSchema(item) };
  if (members !== undefined && members.length > 0) return { anyOf: members.map(simpleSchema) };
  return { ...bases[primitive], ...facetSchema(primitive, facets) };
}

function facetSchema(
  primitive: XsdPrimitive,
  { values, minimum, maximum, minLength, maxLength }: XsdFacets,
): JsonSchema {
  const isText = bases[primitive]["type"] === "string";
  if (values !== undefined) return { enum: values.map((one) => isText ? one : Number(one)) };
  const isPlain = primitive === "string" || primitive === "token";
  return {
    ...minimum === undefined ? {} : { minimum },
    ...maximum === undefined ? {} : { maximum },
    ...minLength === undefined || !isPlain ? {} : { minLength },
    ...maxLength === undefined || !isPlain ? {} : { maxLength },
  };
}
