import { isPlatformError } from "../errors/platform-error.ts";
import { escapeAttribute, escapeText, isXmlName } from "../xml/escape.ts";
import { xsiNamespace } from "../xml/namespaces.ts";
import { UnwritableError } from "./format.ts";
import { defaultItemName } from "./xml-shape.ts";
import type { ListShape, ObjectShape, XmlField, XmlShape, XmlValue } from "./xml-shape.ts";

/**
 * Writes a value as an element of this name; empty for undefined. `head` is put behind the name:
 * attributes and namespace declarations, with a space in front.
 */
export type XmlWriter = (name: string, value: unknown, head: string) => string;

/**
 * Makes the writer of a value, once for each schema. Names have no prefix: they are in the default
 * namespace of what is around them. The writer throws an UnwritableError.
 */
export function compileXmlWriter(value: XmlValue): XmlWriter {
  const write = new WriterCompiler().value(value);
  return (name, one, head) => {
    try {
      return write(name, one, head);
    } catch (error) {
      if (error instanceof RangeError) throw new UnwritableError("", "It refers to itself");
      throw error;
    }
  };
}

class WriterCompiler {
  readonly #objects = new Map<ObjectShape, XmlWriter>();

  value({ shape }: XmlValue): XmlWriter {
    const write = this.#shape(shape);
    return (name, value, head) => {
      if (value === undefined) return "";
      return value === null ? nilElement(name, head) : write(name, value, head);
    };
  }

  #shape(shape: XmlShape): XmlWriter {
    switch (shape.type) {
      case "scalar":
        return writeScalar;
      case "object":
        return this.#object(shape);
      case "list":
        return this.#wrapped(shape, defaultItemName);
      case "record":
        return this.#record(this.value(shape.value));
      case "any":
        return writePlain;
    }
  }

  #wrapped({ item }: ListShape, itemName: string): XmlWriter {
    const writeItems = itemsWriter(itemName, this.value(item));
    return (name, value, head) =>
      isIterable(value) ? element(name, head, writeItems(value)) : writePlain(name, value, head);
  }

  #record(write: XmlWriter): XmlWriter {
    return (name, value, head) => {
      let content = "";
      for (const [key, one] of Object.entries(value as object)) { // null never comes here
        if (!isXmlName(key)) throw new UnwritableError(pointer(key), "It is no name of an element");
        content += within(key, () => write(key, one, ""));
      }
      return element(name, head, content);
    };
  }

  #object(shape: ObjectShape): XmlWriter {
    const known = this.#objects.get(shape);
    if (known !== undefined) return known;
    let plan: ObjectPlan | undefined;
    const writer: XmlWriter = (name, value, head) => {
      if (typeof value !== "object") return writePlain(name, value, head);
      plan ??= this.#plan(shape);
      return writeObject(name, { value: value as Record<string, unknown>, head }, plan); // not null
    };
    this.#objects.set(shape, writer);
    return writer;
  }

  #plan(shape: ObjectShape): ObjectPlan {
    const { fields } = shape;
    const ofPlace = (place: XmlField["place"]) => fields.filter((field) => field.place === place);
    return {
      attributes: ofPlace("attribute"),
      text: ofPlace("text")[0],
      elements: ofPlace("element").map((field) => this.#field(field)),
      known: shape.unknown === "kept" ? new Set(fields.map(({ key }) => key)) : undefined,
    };
  }

  #field(field: XmlField): ElementPlan {
    const { key, name, shape, itemName, isNullable } = field;
    const { namespace } = field.xml;
    const head = namespace === undefined ? "" : ` xmlns="${escapeAttribute(namespace)}"`;
    const plan = { key, name, head, isNullable };
    if (shape.type !== "list") return { ...plan, write: this.value(field) };
    if (itemName !== undefined) return { ...plan, write: this.#wrapped(shape, itemName) };
    const write = this.value(shape.item);
    return { ...plan, write: (own, value, more) => listOf(value, own, { write, head: more }) };
  }
}

interface ElementPlan {
  readonly key: string;
  readonly name: string;
  readonly head: string;
  /** Null is said; elsewhere it is as good as absent. */
  readonly isNullable: boolean;
  readonly write: XmlWriter;
}

interface ObjectPlan {
  readonly attributes: readonly XmlField[];
  readonly text: XmlField | undefined;
  readonly elements: readonly ElementPlan[];
  /** Set where keys that no field has are written too. */
  readonly known: ReadonlySet<string> | undefined;
}

function writeObject(
  name: string,
  { value, head }: { readonly value: Record<string, unknown>; readonly head: string },
  { attributes, text, elements, known }: ObjectPlan,
): string {
  let opening = head;
  for (const field of attributes) opening += attributeText(field, value[field.key]);
  let content = text === undefined ? "" : within(text.key, () => textOf(value[text.key]));
  let index = 0;
  try {
    for (; index < elements.length; index++) {
      const field = elements[index]!;
      const one = value[field.key];
      if (one === undefined) continue;
      if (one === null) {
        if (field.isNullable) content += nilElement(field.name, field.head);
      } else content += field.write(field.name, one, field.head);
    }
  } catch (error) {
    throw inside(elements[index]!.key, error);
  }
  if (known === undefined) return element(name, opening, content);
  const rest = Object.entries(value).filter(([key]) => !known.has(key));
  const more = plainParts(Object.fromEntries(rest));
  return element(name, opening + more.head, content + more.content);
}

let prefixes = 0;

function attributeText({ key, name, xml: { namespace } }: XmlField, value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = within(key, () => escapeAttribute(scalarText(value)));
  if (namespace === undefined) return ` ${name}="${text}"`;
  const prefix = `a${prefixes = (prefixes + 1) % 1_000}`;
  return ` xmlns:${prefix}="${escapeAttribute(namespace)}" ${prefix}:${name}="${text}"`;
}

function listOf(
  value: unknown,
  name: string,
  { write, head }: { readonly write: XmlWriter; readonly head: string },
): string {
  return isIterable(value) ? itemsWriter(name, write)(value, head) : writePlain(name, value, head);
}

function itemsWriter(name: string, write: XmlWriter) {
  return (items: Iterable<unknown>, head = ""): string => {
    let content = "";
    let index = 0;
    try {
      for (const item of items) {
        content += write(name, item === undefined ? null : item, head);
        index++;
      }
    } catch (error) {
      throw inside(String(index), error);
    }
    return content;
  };
}

function writeScalar(name: string, value: unknown, head: string): string {
  if (typeof value === "string") return element(name, head, escapeText(value));
  return typeof value === "object" && !isScalarObject(value)
    ? writePlain(name, value, head)
    : element(name, head, textOf(value));
}

function element(name: string, head: string, content: string): string {
  return content === "" ? `<${name}${head}/>` : `<${name}${head}>${content}</${name}>`;
}

function nilElement(name: string, head: string): string {
  return `<${name}${head} xmlns:xsi="${xsiNamespace}" xsi:nil="true"/>`;
}

/** A value that no schema describes, as `readPlain` reads it. */
function writePlain(name: string, value: unknown, head: string): string {
  if (value === null || value === undefined) return nilElement(name, head);
  if (typeof value !== "object" || isScalarObject(value)) return element(name, head, textOf(value));
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return writePlain(name, value.toJSON(), head);
  }
  if (isIterable(value)) {
    return element(name, head, itemsWriter(defaultItemName, writePlain)(value));
  }
  const parts = plainParts(value);
  return element(name, head + parts.head, parts.content);
}

function plainParts(value: object): { readonly head: string; readonly content: string } {
  let head = "";
  let content = "";
  for (const [key, one] of Object.entries(value)) {
    if (one === undefined) continue;
    if (key === "#text") content += within(key, () => textOf(one));
    else {
      const name = key.startsWith("@") ? key.slice(1) : key;
      if (!isXmlName(name)) throw new UnwritableError(pointer(key), "It is no name of an element");
      if (name !== key) head += ` ${name}="${within(key, () => escapeAttribute(scalarText(one)))}"`;
      else {
        content += within(
          key,
          () =>
            Array.isArray(one) || one instanceof Set
              ? itemsWriter(name, writePlain)(one)
              : writePlain(name, one, ""),
        );
      }
    }
  }
  return { head, content };
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? "" : escapeText(scalarText(value));
}

function isScalarObject(value: object | null): boolean {
  return value instanceof Date || value instanceof Uint8Array;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return Array.isArray(value) || value instanceof Set;
}

function scalarText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      if (Number.isFinite(value)) return String(value);
      throw new UnwritableError("", `It is ${value}`);
    default:
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new UnwritableError("", "It is an invalid date");
    return value.toISOString();
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  throw new UnwritableError("", `It is a ${typeof value}`);
}

function within(key: string, write: () => string): string {
  try {
    return write();
  } catch (error) {
    throw inside(key, error);
  }
}

/** The same error, seen from one level further out. */
function inside(key: string, error: unknown): unknown {
  if (error instanceof UnwritableError) {
    return new UnwritableError(pointer(key) + error.pointer, error.message);
  }
  return isPlatformError(error, "XML_UNWRITABLE")
    ? new UnwritableError(pointer(key), error.message)
    : error;
}

function pointer(key: string): string {
  return `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
