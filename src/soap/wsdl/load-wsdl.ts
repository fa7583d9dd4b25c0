import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { XmlElement, XmlNode } from "../../xml/element.ts";
import { xsdNamespace } from "../../xml/namespaces.ts";
import { parseXml } from "../../xml/parse.ts";
import { attributeOf } from "../../xml/query.ts";
import { renderXml } from "../../xml/render.ts";
import { wsdlNamespace } from "./documents.ts";

/** Files of one WSDL; a WSDL that has more than this is none that people work with. */
const filesMax = 200;

/**
 * Reads a WSDL with everything that it imports and includes into one text: each document stands
 * inside the element that names it. Locations are relative to the file that says them; one on the
 * network is looked for, by its last part, beside the WSDL, and otherwise left as it is. Rejects
 * with SOAP_WSDL_INVALID and XML_*.
 */
export async function loadWsdl(file: string): Promise<string> {
  return renderXml(await new Loader(dirname(resolve(file))).load(resolve(file), file), {
    declaration: true,
  });
}

class Loader {
  readonly #base: string;
  readonly #loaded = new Set<string>();

  constructor(base: string) {
    this.#base = base;
  }

  /** `name`: what messages call the file. */
  async load(file: string, name: string): Promise<XmlElement> {
    this.#loaded.add(file);
    if (this.#loaded.size > filesMax) throw invalid(name, `it imports more than ${filesMax} files`);
    let bytes: Uint8Array;
    try {
      bytes = await readFile(file);
    } catch (error) {
      throw invalid(name, `it cannot be read: ${reasonOf(error)}`, error);
    }
    try {
      return await this.#inline(parseXml(bytes), dirname(file));
    } catch (error) {
      if (error instanceof PlatformError && error.code === "SOAP_WSDL_INVALID") throw error;
      throw invalid(name, reasonOf(error), error);
    }
  }

  async #inline(element: XmlElement, directory: string): Promise<XmlElement> {
    if (isReference(element)) return await this.#resolve(element, directory);
    if (!isContainer(element)) return element;
    const children: XmlNode[] = [];
    for (const child of element.children) {
      children.push(typeof child === "string" ? child : await this.#inline(child, directory));
    }
    return { ...element, children };
  }

  /** A reference with the document inside; without a location where that is there already. */
  async #resolve(element: XmlElement, directory: string): Promise<XmlElement> {
    const location = locationOf(element);
    if (location === undefined) return element;
    const file = /^[a-z][a-z0-9+.-]*:\/\//i.test(location)
      ? join(this.#base, basename(new URL(location).pathname))
      : resolve(directory, decodeURIComponent(location.replace(/^file:/, "")));
    const isRemote = /^https?:/i.test(location);
    if (isRemote && !await exists(file)) return element;
    const attributes = element.attributes.filter(({ name }) => !/^(schemaL|l)ocation$/.test(name));
    if (this.#loaded.has(file)) return { ...element, attributes };
    const inner = await this.load(file, location);
    // What is in scope around it must not change what names without a prefix mean in it.
    const declarations = new Map([["", ""], ...inner.declarations]);
    return { ...element, attributes, children: [{ ...inner, declarations }] };
  }
}

function isReference({ name, namespace }: XmlElement): boolean {
  return (namespace === wsdlNamespace && name === "import") ||
    (namespace === xsdNamespace && (name === "import" || name === "include"));
}

function isContainer({ name, namespace }: XmlElement): boolean {
  return (namespace === wsdlNamespace && (name === "definitions" || name === "types")) ||
    (namespace === xsdNamespace && name === "schema");
}

function locationOf(element: XmlElement): string | undefined {
  const name = element.namespace === wsdlNamespace ? "location" : "schemaLocation";
  return attributeOf(element, name)?.trim();
}

async function exists(file: string): Promise<boolean> {
  return await readFile(file).then(() => true, () => false);
}

function invalid(where: string, reason: string, cause?: unknown): PlatformError {
  return new PlatformError("SOAP_WSDL_INVALID", { where, reason }, { cause });
}
