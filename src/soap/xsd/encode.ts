import { UnwritableError } from "../../formats/format.ts";
import { xmlValueOf } from "../../formats/xml-shape.ts";
import { compileXmlWriter } from "../../formats/xml-writer.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import { escapeAttribute, escapeText } from "../../xml/escape.ts";
import { xsiNamespace } from "../../xml/namespaces.ts";
import { attributeKey, fieldsOf, textKey, typeKey } from "./fields.ts";
import type { XsdAttribute, XsdComplex, XsdElement, XsdType } from "./model.ts";
import type { QName } from "./names.ts";
import { ParticleWriter } from "./particle-writer.ts";
import { at } from "./pointer.ts";
import { writeSimple } from "./simple-value.ts";
import type { TypeFamily } from "./type-family.ts";

const writePlain = compileXmlWriter(xmlValueOf(undefined, "input"));

/** Writes one message. Namespaces get prefixes, which the outermost element has to declare. */
export class XsdEncoder {
  readonly #family: TypeFamily;
  readonly #prefixes = new Map<string, string>([[xsiNamespace, "xsi"]]);
  #usesXsi = false;

  constructor(family: TypeFamily) {
    this.#family = family;
  }

  /** Namespace declarations for everything that was written, each with a space in front. */
  get declarations(): string {
    let text = "";
    for (const [uri, prefix] of this.#prefixes) {
      if (prefix !== "xsi" || this.#usesXsi) text += ` xmlns:${prefix}="${escapeAttribute(uri)}"`;
    }
    return text;
  }

  /** A name with the prefix of its namespace. */
  qualified({ namespace, name }: QName): string {
    if (namespace === "") return name;
    const known = this.#prefixes.get(namespace);
    const prefix = known ?? `ns${this.#prefixes.size}`;
    if (known === undefined) this.#prefixes.set(namespace, prefix);
    return `${prefix}:${name}`;
  }

  /** An element around a value. Throws an UnwritableError that names the member. */
  element(element: Pick<XsdElement, "name" | "namespace" | "type" | "isNillable">, value: unknown) {
    const tag = this.qualified(element);
    if (value === null || value === undefined) {
      if (element.isNillable) return this.#nil(tag);
      if (value === undefined && isEmptyAllowed(element.type)) return `<${tag}/>`;
      throw new UnwritableError("", "It is missing");
    }
    return this.#typed(tag, element.type, value);
  }

  #typed(tag: string, type: XsdType, value: unknown): string {
    switch (type.kind) {
      case "anything":
        return writePlain(tag, value, "");
      case "simple":
        return textElement(tag, "", escapeText(writeSimple(type, value)));
      case "complex":
        return this.#complex(tag, type, value);
    }
  }

  #complex(tag: string, declared: XsdComplex, value: unknown): string {
    const { scalar } = fieldsOf(declared);
    if (scalar !== undefined && (typeof value !== "object" || isScalarObject(value))) {
      return textElement(tag, "", escapeText(writeSimple(scalar, value)));
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const text = declared.content.text;
      if (text !== undefined && value !== null) {
        return this.#complex(tag, declared, { [textKey]: value });
      }
      throw new UnwritableError("", `It is ${Array.isArray(value) ? "a list" : "no object"}`);
    }
    const object = value as Readonly<Record<string, unknown>>; // neither null nor a list
    const [type, head] = this.#actualType(declared, object[typeKey]);
    const { content } = type;
    const attributes = content.attributes.map((one) => this.#attribute(one, object)).join("");
    const others = content.takesAnyAttribute ? anyAttributes(object, content.attributes) : "";
    checkKeys(type, object);
    let inner = "";
    const text = object[textKey];
    if (content.text !== undefined) {
      inner = at(textKey, () => escapeText(writeSimple(content.text!, text ?? ""))); // just seen
    } else if (content.isMixed && text !== undefined) inner = escapeText(String(text));
    inner += new ParticleWriter(this, object, fieldsOf(type).fields).write(content.particles);
    if (fieldsOf(type).takesAnyElement) inner += anyElements(type, object);
    return textElement(tag, head + attributes + others, inner);
  }

  #actualType(declared: XsdComplex, said: unknown): readonly [XsdComplex, string] {
    if (typeof said !== "string" || said === declared.id?.name) {
      if (!declared.isAbstract) return [declared, ""];
      const names = this.#family.descendants(declared).map(({ id }) => `"${id?.name}"`);
      throw new UnwritableError("", `Its ${typeKey} says none of ${names.join(", ")}`);
    }
    const type = this.#family.derived(declared, said);
    if (type?.id === undefined) {
      throw new UnwritableError(`/${typeKey}`, `There is no such type of ${declared.id?.name}`);
    }
    this.#usesXsi = true;
    return [type, ` xsi:type="${this.qualified(type.id)}"`];
  }

  #attribute(attribute: XsdAttribute, object: Readonly<Record<string, unknown>>): string {
    const key = attributeKey(attribute);
    const value = object[key] ?? (attribute.isRequired ? attribute.fixed : undefined);
    if (value === undefined || value === null) {
      if (!attribute.isRequired) return "";
      throw new UnwritableError(`/${key}`, "It is missing");
    }
    const text = at(key, () => escapeAttribute(writeSimple(attribute.type, value)));
    const isXml = attribute.namespace === "http://www.w3.org/XML/1998/namespace";
    const name = isXml ? `xml:${attribute.name}` : this.qualified(attribute);
    return ` ${name}="${text}"`;
  }

  #nil(tag: string): string {
    this.#usesXsi = true;
    return `<${tag} xsi:nil="true"/>`;
  }
}

function textElement(tag: string, head: string, content: string): string {
  return content === "" ? `<${tag}${head}/>` : `<${tag}${head}>${content}</${tag}>`;
}

/** An object without members can be left out. */
function isEmptyAllowed(type: XsdType): boolean {
  if (type.kind !== "complex" || type.isAbstract) return type.kind === "anything";
  return [...fieldsOf(type).fields.values()].every(({ isRequired }) => !isRequired) &&
    type.content.text === undefined && type.content.attributes.every((one) => !one.isRequired);
}

function checkKeys(type: XsdComplex, object: Readonly<Record<string, unknown>>): void {
  const { fields, takesAnyElement } = fieldsOf(type);
  const { attributes, takesAnyAttribute, text, isMixed } = type.content;
  const known = [...fields.keys(), ...attributes.map(attributeKey)];
  for (const key of Object.keys(object)) {
    if (object[key] === undefined || key === typeKey || known.includes(key)) continue;
    if (key === textKey && (text !== undefined || isMixed)) continue;
    if (key.startsWith("@") ? takesAnyAttribute : takesAnyElement) continue;
    const hint = didYouMean(key, known);
    throw new UnwritableError(`/${key}`, `The WSDL has no such member${hint}`);
  }
}

function anyElements(type: XsdComplex, object: Readonly<Record<string, unknown>>): string {
  const { fields } = fieldsOf(type);
  let text = "";
  for (const [key, value] of Object.entries(object)) {
    if (fields.has(key) || key.startsWith("@") || key === textKey || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) text += writePlain(key, one, "");
  }
  return text;
}

function anyAttributes(
  object: Readonly<Record<string, unknown>>,
  attributes: readonly XsdAttribute[],
): string {
  const known = new Set([typeKey, ...attributes.map(attributeKey)]);
  let text = "";
  for (const [key, value] of Object.entries(object)) {
    if (!key.startsWith("@") || known.has(key) || value === undefined || value === null) continue;
    if (!/^@[\p{L}_][\p{L}\p{N}_.-]*$/u.test(key)) {
      throw new UnwritableError(`/${key}`, "It is no name of an attribute");
    }
    text += ` ${key.slice(1)}="${escapeAttribute(String(value))}"`;
  }
  return text;
}

function isScalarObject(value: unknown): boolean {
  return value instanceof Date || value instanceof Uint8Array;
}
