import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from "saxes";
import { isPlatformError, PlatformError, reasonOf } from "../errors/platform-error.ts";
import { decodeXml } from "./decode.ts";
import type { XmlAttribute, XmlElement, XmlNode } from "./element.ts";
import { xmlnsNamespace } from "./namespaces.ts";

/** What a document may have at most. */
export interface XmlLimits {
  /** Elements inside elements; default 64. */
  readonly depth: number;
  /** Characters of the whole document; default 16 Mi. */
  readonly characters: number;
  /** Elements of the whole document; default 500,000. */
  readonly elements: number;
  /** Attributes of one element, namespace declarations included; default 256. */
  readonly attributes: number;
  /** Characters of a name, prefix included; default 256. */
  readonly nameCharacters: number;
}

export interface ParseXmlOptions extends Partial<XmlLimits> {
  /** What the transport says of the encoding of bytes. */
  readonly charset?: string | undefined;
  /** True refuses processing instructions; default false: they are left out. */
  readonly refuseInstructions?: boolean;
}

const defaults: XmlLimits = {
  depth: 64,
  characters: 16 * 1_024 * 1_024,
  elements: 500_000,
  attributes: 256,
  nameCharacters: 256,
};

/**
 * Reads a document, namespaces resolved, and answers its root. There is no document type, no
 * entity but the five of XML itself, and nothing is ever fetched. Throws XML_MALFORMED,
 * XML_FORBIDDEN, XML_LIMIT with line and column, and XML_ENCODING.
 */
export function parseXml(source: string | Uint8Array, options: ParseXmlOptions = {}): XmlElement {
  const text = typeof source === "string" ? source : decodeXml(source, options.charset);
  return new TreeReader(options).read(text);
}

interface OpenElement extends XmlElement {
  readonly children: XmlNode[];
}

const noAttributes: readonly XmlAttribute[] = [];
const noDeclarations: ReadonlyMap<string, string> = new Map();

class TreeReader {
  readonly #limits: XmlLimits;
  readonly #refusesInstructions: boolean;
  // Version 1.1 would bring control characters; such a document is read by the rules of 1.0.
  readonly #parser = new SaxesParser({
    xmlns: true,
    position: false,
    defaultXMLVersion: "1.0",
    forceXMLVersion: true,
  });
  readonly #open: OpenElement[] = [];
  #current: OpenElement | undefined;
  #root: XmlElement | undefined;
  #elements = 0;

  constructor(options: ParseXmlOptions) {
    this.#limits = limitsOf(options);
    this.#refusesInstructions = options.refuseInstructions === true;
    const parser = this.#parser;
    parser.on("opentag", (tag) => this.#enter(tag));
    parser.on("closetag", () => this.#leave());
    parser.on("text", (text) => this.#text(text));
  }

  read(text: string): XmlElement {
    const { characters } = this.#limits;
    if (text.length > characters) this.#exceed("that many characters", characters);
    this.#listen(text);
    try {
      this.#parser.write(text).close();
    } catch (error) {
      throw isPlatformError(error) ? error : this.#malformed(error);
    }
    return this.#root!; // the parser refuses documents without a root
  }

  // Only to what can come: with more than a handful of listeners, the parser's own object becomes
  // a dictionary to the engine, and everything takes three times as long.
  #listen(text: string): void {
    const parser = this.#parser;
    if (text.includes("<!DOCTYPE")) {
      parser.on("doctype", () => this.#forbid("a document type declaration"));
    }
    if (text.includes("<![CDATA[")) parser.on("cdata", (data) => this.#text(data));
    // The declaration at the start of a document looks like an instruction, and is none.
    if (this.#refusesInstructions && text.includes("<?", 1)) {
      parser.on("processinginstruction", () => this.#forbid("a processing instruction"));
    }
  }

  #check(tag: SaxesTagNS, attributes: readonly SaxesAttributeNS[]): void {
    const limits = this.#limits;
    if (this.#open.length >= limits.depth) this.#exceed("deeper elements", limits.depth);
    if (++this.#elements > limits.elements) this.#exceed("elements", limits.elements);
    this.#checkName(tag);
    if (attributes.length === 0) return;
    if (attributes.length > limits.attributes) {
      this.#exceed("attributes of one element", limits.attributes);
    }
    for (const attribute of attributes) this.#checkName(attribute);
  }

  #checkName({ name }: { readonly name: string }): void {
    const { nameCharacters } = this.#limits;
    if (name.length > nameCharacters) this.#exceed("a name of more characters", nameCharacters);
  }

  #enter(tag: SaxesTagNS): void {
    const all = Object.values(tag.attributes);
    this.#check(tag, all);
    const attributes = all.length === 0 ? noAttributes : attributesOf(all);
    const declarations = attributes.length < all.length
      ? new Map(Object.entries(tag.ns))
      : noDeclarations;
    const element: OpenElement = {
      name: tag.local,
      namespace: tag.uri,
      attributes,
      children: [],
      declarations,
    };
    this.#current?.children.push(element);
    this.#open.push(element);
    this.#current = element;
    this.#root ??= element;
  }

  #leave(): void {
    this.#open.pop();
    this.#current = this.#open.at(-1);
  }

  // The parser speaks at every comment, CDATA section and, for long texts, in between.
  #text(text: string): void {
    if (this.#current === undefined || text === "") return;
    const { children } = this.#current;
    const { length } = children;
    const before = length === 0 ? undefined : children[length - 1];
    if (typeof before === "string") children[length - 1] = before + text;
    else children.push(text);
  }

  #malformed(cause: unknown): PlatformError {
    const reason = reasonOf(cause).replace(/\.$/, "").slice(0, 200);
    return new PlatformError("XML_MALFORMED", { reason, ...this.#position() }, { cause });
  }

  #forbid(what: string): never {
    throw new PlatformError("XML_FORBIDDEN", { what, ...this.#position() });
  }

  #exceed(what: string, limit: number): never {
    throw new PlatformError("XML_LIMIT", { what, limit, ...this.#position() });
  }

  #position(): { readonly line: number; readonly column: number } {
    return { line: this.#parser.line, column: this.#parser.columnIndex };
  }
}

function limitsOf(options: ParseXmlOptions): XmlLimits {
  return {
    depth: options.depth ?? defaults.depth,
    characters: options.characters ?? defaults.characters,
    elements: options.elements ?? defaults.elements,
    attributes: options.attributes ?? defaults.attributes,
    nameCharacters: options.nameCharacters ?? defaults.nameCharacters,
  };
}

function attributesOf(all: readonly SaxesAttributeNS[]): readonly XmlAttribute[] {
  return all.filter(({ uri }) => uri !== xmlnsNamespace)
    .map(({ local, uri, value }) => ({ name: local, namespace: uri, value }));
}
