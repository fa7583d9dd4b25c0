import { attributeOf, textOf } from "../xml/query.ts";
import { xsiNamespace } from "../xml/namespaces.ts";
import type { XmlElement } from "../xml/element.ts";
import { forbiddenKey } from "./prototype-keys.ts";
import { defaultItemName } from "./xml-shape.ts";
import type {
  ListShape,
  ObjectShape,
  RecordShape,
  ScalarShape,
  XmlField,
  XmlShape,
  XmlValue,
} from "./xml-shape.ts";

/** What an element means; undefined for one that says `xsi:nil` where null is not allowed. */
export type XmlReader = (element: XmlElement) => unknown;

/**
 * Makes the reader of a value, once for each schema. Texts that are not of their type stay texts,
 * and elements that stand twice where one is meant become a list, so that validation names them.
 * Order and namespaces of elements do not matter unless the schema says a namespace. The reader
 * throws REQUEST_MALFORMED for keys that reach prototypes.
 */
export function compileXmlReader(value: XmlValue): XmlReader {
  return new ReaderCompiler().value(value);
}

class ReaderCompiler {
  readonly #objects = new Map<ObjectShape, XmlReader>();

  value({ shape, isNullable }: XmlValue): XmlReader {
    const read = this.#shape(shape);
    return (element) => {
      if (element.attributes.length > 0 && isNil(element)) return isNullable ? null : undefined;
      return read(element);
    };
  }

  #shape(shape: XmlShape): XmlReader {
    switch (shape.type) {
      case "scalar":
        return scalarReader(shape);
      case "object":
        return this.#object(shape);
      case "list":
        return this.#wrapped(shape, defaultItemName);
      case "record":
        return this.#record(shape);
      case "any":
        return readPlain;
    }
  }

  /** A list as the content of one element: every element inside is an item. */
  #wrapped({ item, isSet }: ListShape, itemName: string): XmlReader {
    const read = this.value(item);
    return (element) => {
      const items: unknown[] = [];
      for (const child of element.children) {
        if (typeof child !== "string") items.push(read(child));
      }
      // Text where items are meant is for validation to refuse.
      if (items.length === 0 && textOf(element).trim() !== "") {
        return { [itemName]: textOf(element) };
      }
      return isSet ? new Set(items) : items;
    };
  }

  #record({ value }: RecordShape): XmlReader {
    const read = this.value(value);
    return (element) => {
      const record: Record<string, unknown> = {};
      for (const child of element.children) {
        if (typeof child !== "string") put(record, child.name, read(child));
      }
      return record;
    };
  }

  #object(shape: ObjectShape): XmlReader {
    const known = this.#objects.get(shape);
    if (known !== undefined) return known;
    // The fields of an object that holds itself are there only after this function has returned.
    let plan: ObjectPlan | undefined;
    const reader: XmlReader = (element) => {
      plan ??= this.#plan(shape);
      return readObject(element, plan);
    };
    this.#objects.set(shape, reader);
    return reader;
  }

  #plan(shape: ObjectShape): ObjectPlan {
    const elements = new Map<string, FieldPlan>();
    const attributes: FieldPlan[] = [];
    const lists: FieldPlan[] = [];
    let text: FieldPlan | undefined;
    for (const field of shape.fields) {
      const plan = this.#field(field);
      if (field.place === "attribute") attributes.push(plan);
      else if (field.place === "text") text = plan;
      else elements.set(field.name, plan);
      if (plan.isRepeated && (plan.isSet || !field.isOptional)) lists.push(plan);
    }
    return { elements, attributes, lists, text, keepsUnknown: shape.unknown === "kept" };
  }

  #field(field: XmlField): FieldPlan {
    const { key, name, shape, itemName } = field;
    const { namespace } = field.xml;
    const plan = { key, name, namespace, isRepeated: false, isSet: false, isOptional: false };
    const isList = shape.type === "list" && field.place === "element";
    if (isList && itemName === undefined) {
      const { isSet } = shape;
      const { isOptional } = field;
      return { ...plan, isRepeated: true, isSet, isOptional, read: this.value(shape.item) };
    }
    if (isList) {
      const read = this.#wrapped(shape, itemName ?? defaultItemName);
      return { ...plan, read: nilAware(read, field.isNullable) };
    }
    return { ...plan, read: this.value(field) };
  }
}

/** How one field is found and read. */
interface FieldPlan {
  readonly key: string;
  readonly name: string;
  readonly namespace: string | undefined;
  /** Each element of the name is an item. */
  readonly isRepeated: boolean;
  readonly isSet: boolean;
  readonly isOptional: boolean;
  readonly read: XmlReader;
}

interface ObjectPlan {
  readonly elements: ReadonlyMap<string, FieldPlan>;
  readonly attributes: readonly FieldPlan[];
  /** Lists that are empty when no element of their name is there, and sets. */
  readonly lists: readonly FieldPlan[];
  readonly text: FieldPlan | undefined;
  readonly keepsUnknown: boolean;
}

function readObject(element: XmlElement, plan: ObjectPlan): unknown {
  const { children } = element;
  const object: Record<string, unknown> = {};
  for (let index = 0; index < children.length; index++) {
    const child = children[index]!;
    if (typeof child === "string") continue;
    const field = plan.elements.get(child.name);
    if (
      field === undefined || (field.namespace !== undefined && field.namespace !== child.namespace)
    ) putUnknown(object, child, plan);
    else if (field.isRepeated) putItem(object, field.key, field.read(child));
    else if (object[field.key] === undefined) object[field.key] = field.read(child);
    else put(object, field.key, field.read(child));
  }
  if (element.attributes.length > 0) readAttributes(object, element, plan);
  if (plan.text !== undefined) object[plan.text.key] = plan.text.read(element);
  // Text where only elements are meant is for validation to refuse.
  else if (children.length === 1 && typeof children[0] === "string" && children[0].trim() !== "") {
    return children[0];
  }
  for (const list of plan.lists) finishList(object, list);
  return object;
}

function readAttributes(
  object: Record<string, unknown>,
  element: XmlElement,
  { attributes, keepsUnknown }: ObjectPlan,
): void {
  for (const field of attributes) {
    const value = attributeOf(element, field.name, field.namespace);
    if (value !== undefined) object[field.key] = field.read(textElement(value));
  }
  if (!keepsUnknown) return;
  for (const { name, namespace, value } of element.attributes) {
    const isKnown = attributes.some((field) => field.name === name);
    if (!isKnown && namespace !== xsiNamespace) put(object, `@${name}`, value);
  }
}

function textElement(text: string): XmlElement {
  return { name: "", namespace: "", attributes: [], children: [text], declarations: new Map() };
}

function finishList(object: Record<string, unknown>, { key, isSet, isOptional }: FieldPlan): void {
  const items = object[key];
  if (items === undefined && !isOptional) object[key] = isSet ? new Set() : [];
  else if (isSet && Array.isArray(items)) object[key] = new Set(items);
}

function putUnknown(
  object: Record<string, unknown>,
  child: XmlElement,
  { keepsUnknown }: ObjectPlan,
): void {
  if (keepsUnknown) put(object, child.name, readPlain(child));
  else if (child.name === "__proto__") throw forbiddenKey(child.name);
}

function putItem(object: Record<string, unknown>, key: string, item: unknown): void {
  const items = object[key];
  if (items === undefined) object[key] = [item];
  else (items as unknown[]).push(item); // only this function writes the key of a list
}

/** A second value of one name makes a list. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") throw forbiddenKey(key);
  if (!Object.hasOwn(object, key)) object[key] = value;
  else if (repeated.has(object[key] as object)) (object[key] as unknown[]).push(value); // a list
  else {
    const list = [object[key], value];
    repeated.add(list);
    object[key] = list;
  }
}

/** Lists that `put` made, to tell them from lists that are one value. */
const repeated = new WeakSet<object>();

function scalarReader({ read, keepsSpace }: ScalarShape): XmlReader {
  return (element) => {
    const { children } = element;
    let text: string;
    if (children.length === 1 && typeof children[0] === "string") text = children[0];
    else if (children.length === 0) text = "";
    else return readPlain(element);
    return keepsSpace ? read(text) : read(text.trim());
  };
}

function nilAware(read: XmlReader, isNullable: boolean): XmlReader {
  return (element) => {
    if (element.attributes.length > 0 && isNil(element)) return isNullable ? null : undefined;
    return read(element);
  };
}

function isNil(element: XmlElement): boolean {
  const nil = attributeOf(element, "nil", xsiNamespace)?.trim();
  return nil === "true" || nil === "1";
}

/**
 * An element that no schema describes, as a plain value: text when there are neither elements nor
 * attributes in it, else an object of its elements (a list where one name stands several times),
 * its attributes as `@name` and its text as `#text`. `xsi:nil` is null.
 */
export function readPlain(element: XmlElement): unknown {
  if (element.attributes.length > 0 && isNil(element)) return null;
  const attributes = element.attributes.filter(({ namespace }) => namespace !== xsiNamespace);
  const text = textOf(element);
  const hasElements = element.children.some((child) => typeof child !== "string");
  if (!hasElements && attributes.length === 0) return text;
  const object: Record<string, unknown> = {};
  for (const { name, value } of attributes) put(object, `@${name}`, value);
  for (const child of element.children) {
    if (typeof child === "string") continue;
    const value = readPlain(child);
    refusePrototype(child.name, value);
    put(object, child.name, value);
  }
  if (text.trim() !== "") object["#text"] = text;
  return object;
}

function refusePrototype(name: string, value: unknown): void {
  const isObject = typeof value === "object" && value !== null;
  if (name === "constructor" && isObject && Object.hasOwn(value, "prototype")) {
    throw forbiddenKey("constructor.prototype");
  }
}
