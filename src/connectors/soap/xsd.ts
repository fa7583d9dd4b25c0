import {
  defaultItemName,
  type ListShape,
  type ObjectShape,
  type XmlField,
  type XmlShape,
  type XmlValue,
} from "../../formats/xml-shape.ts";
import { isXmlName } from "../../xml/escape.ts";
import { markup, type MarkupAttributes, markupText } from "./markup.ts";
import { simpleTypeOf } from "./xsd-scalar.ts";

/** Collects the types of one schema document, each under a name of its own. */
export class XsdTypes {
  #names = new Map<ObjectShape, string>();
  #taken = new Set<string>();
  /** Written types by name. */
  #types = new Map<string, string>();

  /** Everything that was asked for so far. */
  get types(): string {
    return [...this.#types.values()].join("");
  }

  /** A global element whose content are the fields of an object. */
  message(name: string, shape: ObjectShape): string {
    return markup("xs:element", { name }, this.#complexType({}, shape, name));
  }

  /** The name of a field's type, for a part of an rpc message; made when it has none. */
  partType(field: XmlField, hint: string): string {
    const { attributes, content } = this.#typeOf(field, hint);
    if (attributes["type"] !== undefined) return attributes["type"];
    const name = this.#freeName(hint);
    const named = content.replace(/^<xs:(simple|complex)Type/, (tag) => `${tag} name="${name}"`);
    this.#types.set(name, named);
    return `tns:${name}`;
  }

  /** A reference to the type of an object; objects of one name that look the same share it. */
  objectType(shape: ObjectShape, hint: string): string {
    const known = this.#names.get(shape);
    if (known !== undefined) return `tns:${known}`;
    const { id } = shape;
    const wanted = id !== undefined && isXmlName(id) ? id : hint;
    if (this.#taken.has(wanted) && this.#isType(wanted, shape)) return `tns:${wanted}`;
    const name = this.#freeName(wanted);
    // Named before its fields are looked at: one of them may be of this very type.
    this.#names.set(shape, name);
    this.#types.set(name, this.#complexType({ name }, shape, name));
    return `tns:${name}`;
  }

  /** Tries whether an object looks as the type of this name does; forgets the attempt if not. */
  #isType(name: string, shape: ObjectShape): boolean {
    const before = [new Map(this.#names), new Set(this.#taken), new Map(this.#types)] as const;
    this.#names.set(shape, name);
    if (this.#complexType({ name }, shape, name) === this.#types.get(name)) return true;
    [this.#names, this.#taken, this.#types] = before;
    return false;
  }

  #freeName(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.#taken.has(name); count++) name = `${wanted}${count}`;
    this.#taken.add(name);
    return name;
  }

  #complexType(attributes: MarkupAttributes, shape: ObjectShape, hint: string): string {
    const { fields, description } = shape;
    const documentation = annotation(description);
    const ofPlace = (place: XmlField["place"]) => fields.filter((field) => field.place === place);
    const ownAttributes = ofPlace("attribute").map((field) => this.#attribute(field)).join("");
    const [text] = ofPlace("text");
    if (text !== undefined) {
      const base = text.shape.type === "scalar" ? simpleTypeOf(text.shape).base : "xs:string";
      const extension = markup("xs:extension", { base }, ownAttributes);
      const content = markup("xs:simpleContent", {}, extension);
      return markup("xs:complexType", attributes, documentation, content);
    }
    const elements = ofPlace("element").map((field) => this.#element(field, hint));
    const sequence = elements.length === 0 ? "" : markup("xs:sequence", {}, ...elements);
    return markup("xs:complexType", attributes, documentation, sequence, ownAttributes);
  }

  #element(field: XmlField, owner: string): string {
    const { name, shape, itemName, isOptional, isNullable, description } = field;
    if (field.xml.namespace !== undefined) return anyElements(field.xml.namespace);
    const hint = owner + pascalCase(name);
    const isRepeated = shape.type === "list" && itemName === undefined;
    const value = isRepeated ? shape.item : field;
    const { attributes, content } = isRepeated || shape.type !== "list"
      ? this.#typeOf(value, hint)
      : this.#listType(shape, itemName ?? defaultItemName, hint);
    const all = {
      name,
      ...attributes,
      // An empty list is no element at all.
      minOccurs: isOptional || isRepeated ? "0" : undefined,
      maxOccurs: isRepeated ? "unbounded" : undefined,
      nillable: (isRepeated ? value.isNullable : isNullable) ? "true" : undefined,
    };
    return markup("xs:element", all, annotation(description), content);
  }

  #attribute({ name, shape, isOptional, description }: XmlField): string {
    const { base, facets } = shape.type === "scalar"
      ? simpleTypeOf(shape)
      : { base: "xs:string", facets: [] };
    const use = isOptional ? undefined : "required";
    const type = facets.length === 0 ? base : undefined;
    const content = type === undefined ? simpleType(base, facets) : "";
    return markup("xs:attribute", { name, type, use }, annotation(description), content);
  }

  #typeOf({ shape }: Pick<XmlValue, "shape">, hint: string): TypeUse {
    switch (shape.type) {
      case "scalar": {
        const { base, facets } = simpleTypeOf(shape);
        return facets.length === 0
          ? { attributes: { type: base }, content: "" }
          : { attributes: {}, content: simpleType(base, facets) };
      }
      case "object":
        return { attributes: { type: this.objectType(shape, hint) }, content: "" };
      case "list":
        return this.#listType(shape, itemNameOf(shape), hint);
      case "record": {
        const sequence = markup("xs:sequence", {}, anyElements());
        return { attributes: {}, content: markup("xs:complexType", {}, sequence) };
      }
      case "any":
        return { attributes: { type: "xs:anyType" }, content: "" };
    }
  }

  #listType({ item }: ListShape, itemName: string, hint: string): TypeUse {
    const { attributes, content } = this.#typeOf(item, hint + pascalCase(itemName));
    const nillable = item.isNullable ? "true" : undefined;
    const occurs = { minOccurs: "0", maxOccurs: "unbounded", nillable };
    const element = markup("xs:element", { name: itemName, ...attributes, ...occurs }, content);
    const sequence = markup("xs:sequence", {}, element);
    return { attributes: {}, content: markup("xs:complexType", {}, sequence) };
  }
}

/** How an element says its type: by name, or in it. */
interface TypeUse {
  readonly attributes: MarkupAttributes;
  readonly content: string;
}

/** `order-items` as `OrderItems`. */
export function pascalCase(text: string): string {
  return text.split(/[^\p{L}\p{N}]+/u).map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");
}

function itemNameOf(shape: XmlShape): string {
  const isWrapped = shape.type === "list" && typeof shape.item.xml.wrapped === "string";
  return isWrapped ? String(shape.item.xml.wrapped) : defaultItemName;
}

function simpleType(base: string, facets: readonly string[]): string {
  return markup("xs:simpleType", {}, markup("xs:restriction", { base }, ...facets));
}

function annotation(description: string | undefined): string {
  const documentation = markupText("xs:documentation", description);
  return documentation === "" ? "" : markup("xs:annotation", {}, documentation);
}

function anyElements(namespace?: string): string {
  return markup("xs:any", {
    namespace,
    processContents: "lax",
    minOccurs: "0",
    maxOccurs: "unbounded",
  });
}
