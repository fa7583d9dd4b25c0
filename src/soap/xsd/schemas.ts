import { xsdNamespace } from "../../xml/namespaces.ts";
import type { Cursor } from "./cursor.ts";
import type { XsdAttribute, XsdElement, XsdOccurs, XsdSimple, XsdType } from "./model.ts";
import type { QName } from "./names.ts";

/** One `schema` element. */
export interface SchemaDocument {
  readonly root: Cursor;
  /** Of an included document without one: that of the document that includes it. */
  readonly targetNamespace: string;
}

/** What can be referred to at the top level of a schema. */
export type SchemaTable = "type" | "element" | "attribute" | "group" | "attributeGroup";

/** Something at the top level of a schema. */
export interface Declaration {
  readonly at: Cursor;
  readonly schema: SchemaDocument;
}

/** All schemas, as those who read parts of them ask. Everything throws SOAP_WSDL_INVALID. */
export interface Schemas {
  type(name: QName, from: Cursor): XsdType;
  simple(name: QName, from: Cursor): XsdSimple;
  declaration(table: SchemaTable, name: QName, from: Cursor): Declaration;
  element(name: QName, from: Cursor, occurs?: XsdOccurs): XsdElement;
  /** Those that may stand where `name` is meant, without itself. */
  substitutesOf(name: QName, from: Cursor): readonly XsdElement[];
  isAbstractElement(name: QName, from: Cursor): boolean;
  readElement(at: Cursor, place: ElementPlace): XsdElement;
  /** Undefined for one that is prohibited. */
  attribute(at: Cursor, schema: SchemaDocument): XsdAttribute | undefined;
  /** Guards against parts nested in each other without end. */
  nested<T>(at: Cursor, read: () => T): T;
}

export interface ElementPlace extends XsdOccurs {
  readonly schema: SchemaDocument;
  readonly name: QName;
}

/** Where a particle stands. */
export interface ParticleContext {
  readonly schema: SchemaDocument;
  readonly set: Schemas;
}

/** What a schema says to people. */
export function documentationOf(at: Cursor): string | undefined {
  const text = at.child(xsdNamespace, "annotation")?.child(xsdNamespace, "documentation")?.text();
  return text === undefined || text === "" ? undefined : text.replace(/\s+/g, " ").slice(0, 1_000);
}

/** Reads a truth value of XML Schema. */
export function isTrue(text: string | undefined): boolean {
  return text === "true" || text === "1";
}
