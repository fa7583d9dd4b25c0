import { PlatformError } from "../../errors/platform-error.ts";
import type { XmlElement } from "../../xml/element.ts";
import { xsdNamespace } from "../../xml/namespaces.ts";
import { parseXml } from "../../xml/parse.ts";
import { Cursor } from "../xsd/cursor.ts";
import type { SchemaDocument } from "../xsd/schemas.ts";

export const wsdlNamespace = "http://schemas.xmlsoap.org/wsdl/";

/** A WSDL, taken apart into its documents. */
export interface WsdlDocuments {
  readonly definitions: readonly Cursor[];
  readonly schemas: readonly SchemaDocument[];
  /** Locations of documents that are referred to and not there. */
  readonly missing: readonly string[];
}

/** A document that holds more than this is none that people work with. */
const documentsMax = 1_000;

/**
 * Takes a WSDL apart. Everything that it imports stands in its text, inside the `import` or
 * `include` that names it: as `loadWsdl` writes it. Throws XML_* and SOAP_WSDL_INVALID.
 */
export function openDocuments(text: string): WsdlDocuments {
  return new DocumentCollector().collect(new Cursor(parseXml(text)));
}

class DocumentCollector {
  readonly #definitions: Cursor[] = [];
  readonly #schemas: SchemaDocument[] = [];
  readonly #missing: string[] = [];

  collect(root: Cursor): WsdlDocuments {
    const { name, namespace } = root.element;
    if (namespace === "http://www.w3.org/ns/wsdl") {
      throw root.error("it is a WSDL 2.0, and only 1.1 is supported");
    }
    if (name !== "definitions" || namespace !== wsdlNamespace) {
      throw new PlatformError("SOAP_WSDL_INVALID", {
        where: name.slice(0, 200),
        reason: "it is no WSDL 1.1, whose root is definitions",
      });
    }
    this.#addDefinitions(root);
    return {
      definitions: this.#definitions,
      schemas: this.#schemas,
      missing: [...new Set(this.#missing)],
    };
  }

  #addDefinitions(root: Cursor): void {
    this.#definitions.push(root);
    this.#limit(root);
    for (const one of root.children(wsdlNamespace, "import")) {
      const [inner] = one.children(wsdlNamespace, "definitions");
      const schema = one.child(xsdNamespace, "schema");
      if (inner !== undefined) this.#addDefinitions(inner);
      else if (schema !== undefined) this.#addSchema(schema);
      else this.#miss(one.attribute("location"));
    }
    for (const types of root.children(wsdlNamespace, "types")) {
      for (const schema of types.children(xsdNamespace, "schema")) this.#addSchema(schema);
    }
  }

  #addSchema(root: Cursor, includer?: string): void {
    this.#limit(root);
    const own = root.attribute("targetNamespace");
    const targetNamespace = own ?? includer ?? "";
    const isChameleon = own === undefined && targetNamespace !== "";
    this.#schemas.push({
      root: isChameleon ? withDefault(root, targetNamespace) : root,
      targetNamespace,
    });
    for (const one of root.children(xsdNamespace)) {
      if (one.name === "redefine") throw one.error("redefine is not supported");
      if (one.name !== "include" && one.name !== "import") continue;
      const inner = one.child(xsdNamespace, "schema");
      if (inner !== undefined) {
        this.#addSchema(inner, one.name === "include" ? targetNamespace : undefined);
      } else this.#miss(one.attribute("schemaLocation"));
    }
  }

  #miss(location: string | undefined): void {
    if (location !== undefined) this.#missing.push(location);
  }

  #limit(root: Cursor): void {
    if (this.#definitions.length + this.#schemas.length <= documentsMax) return;
    throw root.error(`there are more than ${documentsMax} documents`);
  }
}

/** What an included document without a namespace refers to is in that of its includer. */
function withDefault(root: Cursor, namespace: string): Cursor {
  const { declarations } = root.element;
  const hasDefault = (declarations.get("") ?? "") !== "";
  if (hasDefault) return root;
  const element: XmlElement = {
    ...root.element,
    declarations: new Map([...declarations, ["", namespace]]),
  };
  return new Cursor(element);
}
