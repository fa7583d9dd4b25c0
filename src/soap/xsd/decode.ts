import { forbiddenKey } from "../../formats/prototype-keys.ts";
import { readPlain } from "../../formats/xml-reader.ts";
import type { XmlElement } from "../../xml/element.ts";
import { xsiNamespace } from "../../xml/namespaces.ts";
import { attributeOf, textOf } from "../../xml/query.ts";
import { builtinTypes } from "./builtin-types.ts";
import { attributeKey, fieldsOf, textKey, typeKey, type XsdField } from "./fields.ts";
import type { XsdComplex, XsdContent, XsdType } from "./model.ts";
import { keyOf } from "./names.ts";
import { readSimple } from "./simple-value.ts";
import type { TypeFamily } from "./type-family.ts";

/**
 * Reads elements by their types into JSON: numbers, truth values, lists that are always lists,
 * dates as ISO texts. What no schema describes is read as `readPlain` does. It refuses nothing but
 * keys that reach prototypes: what another system answers is for the service to judge.
 */
export class XsdDecoder {
  readonly #family: TypeFamily;

  constructor(family: TypeFamily) {
    this.#family = family;
  }

  /** An element's value; null for `xsi:nil`. */
  element(element: XmlElement, type: XsdType): unknown {
    let actual = type;
    let said: string | undefined;
    if (element.attributes.length > 0) {
      const nil = attributeOf(element, "nil", xsiNamespace)?.trim();
      if (nil === "true" || nil === "1") return null;
      const name = attributeOf(element, "type", xsiNamespace)?.trim();
      if (name !== undefined) [actual, said] = this.#derived(type, name);
    }
    switch (actual.kind) {
      case "anything":
        return readPlain(element);
      case "simple":
        return hasElements(element) ? readPlain(element) : readSimple(actual, textOf(element));
      case "complex":
        return this.#complex(element, actual, said);
    }
  }

  /** The type that an element says, when it is one that it may be of. */
  #derived(declared: XsdType, text: string): readonly [XsdType, string | undefined] {
    const name = text.slice(text.indexOf(":") + 1);
    if (declared.kind === "complex") {
      const type = this.#family.derived(declared, name);
      return type === undefined ? [declared, undefined] : [type, name];
    }
    if (declared.kind === "simple") return [declared, undefined];
    const type = this.#family.named(name) ?? builtinTypes.get(name);
    return [type ?? declared, undefined];
  }

  #complex(element: XmlElement, type: XsdComplex, said: string | undefined): unknown {
    const { content } = type;
    const { scalar, fields } = fieldsOf(type);
    if (scalar !== undefined && !hasElements(element)) return readSimple(scalar, textOf(element));
    const object: Record<string, unknown> = {};
    if (said !== undefined) object[typeKey] = said;
    readAttributes(object, element, content);
    if (content.text !== undefined) object[textKey] = readSimple(content.text, textOf(element));
    else if (content.isMixed && textOf(element).trim() !== "") object[textKey] = textOf(element);
    this.#children(object, element, type);
    for (const { key, isList } of fields.values()) {
      if (isList && !Object.hasOwn(object, key)) object[key] = [];
    }
    return object;
  }

  #children(object: Record<string, unknown>, element: XmlElement, type: XsdComplex): void {
    const { byName, fields } = fieldsOf(type);
    for (const child of element.children) {
      if (typeof child === "string") continue;
      // Many systems get the namespaces of inner elements wrong; the name tells enough.
      const field = byName.get(keyOf(child)) ?? fields.get(child.name);
      if (field === undefined) putPlain(object, child);
      else this.#put(object, field, child);
    }
  }

  #put(object: Record<string, unknown>, { key, element, isList }: XsdField, child: XmlElement) {
    const value = this.element(child, element.type);
    refuse(key);
    const before = Object.hasOwn(object, key) ? object[key] : undefined;
    if (isList && before === undefined) object[key] = [value];
    else if (Array.isArray(before) && isList) before.push(value);
    else object[key] = value;
  }
}

function readAttributes(
  object: Record<string, unknown>,
  element: XmlElement,
  { attributes }: XsdContent,
): void {
  for (const { name, namespace, value } of element.attributes) {
    if (namespace === xsiNamespace) continue;
    const known = attributes.find((one) => one.name === name && one.namespace === namespace);
    object[known === undefined ? `@${name}` : attributeKey(known)] = known === undefined
      ? value
      : readSimple(known.type, value);
  }
}

function putPlain(object: Record<string, unknown>, child: XmlElement): void {
  refuse(child.name);
  const value = readPlain(child);
  const before = Object.hasOwn(object, child.name) ? object[child.name] : undefined;
  if (before === undefined) object[child.name] = value;
  else object[child.name] = Array.isArray(before) ? [...before, value] : [before, value];
}

function refuse(key: string): void {
  if (key === "__proto__" || key === "constructor" || key === "prototype") throw forbiddenKey(key);
}

function hasElements({ children }: XmlElement): boolean {
  return children.some((child) => typeof child !== "string");
}
