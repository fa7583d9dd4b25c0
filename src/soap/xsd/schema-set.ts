import { nearestName } from "../../lib/nearest-name.ts";
import type { XmlElement } from "../../xml/element.ts";
import { xsdNamespace } from "../../xml/namespaces.ts";
import { anySimple, anything, builtinTypes } from "./builtin-types.ts";
import { readComplexType } from "./complex-type.ts";
import type { Cursor } from "./cursor.ts";
import type { XsdAttribute, XsdComplex, XsdElement, XsdOccurs, XsdSimple } from "./model.ts";
import type { XsdType } from "./model.ts";
import { keyOf, type QName } from "./names.ts";
import {
  type Declaration,
  documentationOf,
  type ElementPlace,
  isTrue,
  type SchemaDocument,
  type Schemas,
  type SchemaTable,
} from "./schemas.ts";
import { readSimpleType } from "./simple-type.ts";

const tables: Readonly<Record<string, SchemaTable>> = {
  simpleType: "type",
  complexType: "type",
  element: "element",
  attribute: "attribute",
  group: "group",
  attributeGroup: "attributeGroup",
};

/** What many types may be nested in each other before it is no honest schema. */
const nestingMax = 200;
/** What is read in all; groups in groups can multiply without end. */
const particlesMax = 200_000;

const once: XsdOccurs = { min: 1, max: 1 };

/** All schemas of a WSDL together. Types are made when they are first asked for, each once. */
export class SchemaSet implements Schemas {
  readonly #declarations = new Map<string, Declaration>();
  readonly #types = new Map<string, XsdType>();
  /** Types that a type is being made of, to see circles of simple types. */
  readonly #making = new Set<string>();
  /** Elements that may stand for another one, by that one's name. */
  readonly #substitutes = new Map<string, QName[]>();
  /** Documents that were not given, for the hint in errors. */
  readonly #missing: readonly string[];
  /** Types without a name, by their element. */
  readonly #anonymous = new WeakMap<XmlElement, XsdType>();
  #depth = 0;
  #count = 0;

  constructor(documents: readonly SchemaDocument[], missing: readonly string[]) {
    this.#missing = missing;
    for (const schema of documents) {
      const { root, targetNamespace: namespace } = schema;
      for (const at of root.children(xsdNamespace)) {
        const table = tables[at.name];
        if (table === undefined) continue;
        const name = { namespace, name: at.required("name") };
        // The same document may come twice, on two ways.
        this.#declarations.set(`${table} ${keyOf(name)}`, { at, schema });
        if (table === "element") this.#noteSubstitute(at, name);
      }
    }
  }

  /** Every complex type with a name, for `xsi:type`. */
  complexTypes(): readonly XsdComplex[] {
    return [...this.#declarations].flatMap(([key, { at, schema }]) => {
      if (!key.startsWith("type ") || at.name !== "complexType") return [];
      const type = this.type({ namespace: schema.targetNamespace, name: at.required("name") }, at);
      return type.kind === "complex" ? [type] : [];
    });
  }

  /** Throws SOAP_WSDL_INVALID when there is none; `from` is where it is referred to. */
  type(name: QName, from: Cursor): XsdType {
    if (name.namespace === xsdNamespace) {
      const builtin = builtinTypes.get(name.name);
      if (builtin === undefined) throw from.error(`XML Schema has no type "${name.name}"`);
      return builtin;
    }
    const key = keyOf(name);
    const known = this.#types.get(key);
    if (known !== undefined) return known;
    const { at, schema } = this.declaration("type", name, from);
    if (this.#making.has(key)) throw at.error("it is made of itself");
    this.#making.add(key);
    try {
      const made = at.name === "simpleType"
        ? readSimpleType(at, name, (one, place) => this.simple(one, place))
        : readComplexType(at, { id: name, schema, set: this });
      this.#types.set(key, made);
      return made;
    } finally {
      this.#making.delete(key);
    }
  }

  simple(name: QName, from: Cursor): XsdSimple {
    const type = this.type(name, from);
    if (type.kind === "simple") return type;
    throw from.error(`"${name.name}" is no simple type`);
  }

  /** A declaration at the top level. */
  declaration(table: SchemaTable, name: QName, from: Cursor): Declaration {
    const found = this.#declarations.get(`${table} ${keyOf(name)}`);
    if (found !== undefined) return found;
    throw from.error(`there is no ${table} ${keyOf(name)}${this.#hint(table, name)}`);
  }

  /** The element of this name at the top level. */
  element(name: QName, from: Cursor, occurs: XsdOccurs = once): XsdElement {
    const { at, schema } = this.declaration("element", name, from);
    return this.readElement(at, { schema, name, ...occurs });
  }

  /** Those that may stand where `name` is meant, without itself. */
  substitutesOf(name: QName, from: Cursor, seen = new Set<string>()): readonly XsdElement[] {
    const names = this.#substitutes.get(keyOf(name)) ?? [];
    return names.flatMap((one) => {
      if (seen.has(keyOf(one))) return [];
      seen.add(keyOf(one));
      const further = this.substitutesOf(one, from, seen);
      return this.isAbstractElement(one, from) ? further : [this.element(one, from), ...further];
    });
  }

  isAbstractElement(name: QName, from: Cursor): boolean {
    return this.declaration("element", name, from).at.attribute("abstract") === "true";
  }

  readElement(
    at: Cursor,
    { schema, name, min, max }: ElementPlace,
  ): XsdElement {
    const typeOf = () => this.#elementType(at, schema);
    let type: XsdType | undefined;
    return {
      kind: "element",
      ...name,
      min,
      max,
      isNillable: isTrue(at.attribute("nillable")),
      fixed: at.attribute("fixed"),
      description: documentationOf(at),
      get type() {
        return type ??= typeOf();
      },
    };
  }

  /** Guards against types nested in each other without end. Throws SOAP_WSDL_INVALID. */
  nested<T>(at: Cursor, read: () => T): T {
    if (++this.#count > particlesMax) throw at.error(`there are more than ${particlesMax} parts`);
    if (++this.#depth > nestingMax) throw at.error("it is nested too deeply, or in itself");
    try {
      return read();
    } finally {
      this.#depth--;
    }
  }

  attribute(at: Cursor, schema: SchemaDocument): XsdAttribute | undefined {
    if (at.attribute("use") === "prohibited") return undefined;
    const isRequired = at.attribute("use") === "required";
    const ref = at.reference("ref");
    if (ref !== undefined) {
      const fixed = at.attribute("fixed");
      // Such as xml:lang, which nobody declares.
      const declared = this.#declarations.get(`attribute ${keyOf(ref)}`);
      const type = declared === undefined ? anySimple : this.#attributeType(declared.at);
      return { ...ref, type, isRequired, fixed };
    }
    const form = at.attribute("form") ?? schema.root.attribute("attributeFormDefault");
    return {
      name: at.required("name"),
      namespace: form === "qualified" ? schema.targetNamespace : "",
      type: this.#attributeType(at),
      isRequired,
      fixed: at.attribute("fixed"),
    };
  }

  #attributeType(at: Cursor): XsdSimple {
    const name = at.reference("type");
    if (name !== undefined) return this.simple(name, at);
    const inner = at.child(xsdNamespace, "simpleType");
    if (inner === undefined) return anySimple;
    return readSimpleType(inner, undefined, (one, place) => this.simple(one, place));
  }

  #elementType(at: Cursor, schema: SchemaDocument): XsdType {
    const name = at.reference("type");
    if (name !== undefined) return this.type(name, at);
    const known = this.#anonymous.get(at.element);
    if (known !== undefined) return known;
    const made = this.#ownType(at, schema);
    this.#anonymous.set(at.element, made);
    return made;
  }

  #ownType(at: Cursor, schema: SchemaDocument): XsdType {
    const complex = at.child(xsdNamespace, "complexType");
    if (complex !== undefined) {
      return readComplexType(complex, { id: undefined, schema, set: this });
    }
    const simple = at.child(xsdNamespace, "simpleType");
    if (simple !== undefined) {
      return readSimpleType(simple, undefined, (one, place) => this.simple(one, place));
    }
    const head = at.reference("substitutionGroup");
    return head === undefined ? anything : this.nested(at, () => this.element(head, at).type);
  }

  #noteSubstitute(at: Cursor, name: QName): void {
    const head = at.reference("substitutionGroup");
    if (head === undefined) return;
    const key = keyOf(head);
    this.#substitutes.set(key, [...this.#substitutes.get(key) ?? [], name]);
  }

  #hint(table: SchemaTable, name: QName): string {
    if (this.#missing.length > 0) {
      const names = this.#missing.slice(0, 3).map((one) => `"${one.slice(0, 200)}"`).join(", ");
      return `; ${names} is imported, and not part of the text`;
    }
    const names = [...this.#declarations.keys()].filter((key) => key.startsWith(`${table} `))
      .map((key) => key.slice(table.length + 1));
    const near = nearestName(keyOf(name), names);
    return near === undefined ? "" : `, did you mean ${near}?`;
  }
}
