import { PlatformError } from "../errors/platform-error.ts";
import type { XmlElement } from "./element.ts";
import { escapeAttribute, escapeText, isXmlName } from "./escape.ts";
import { xmlNamespace } from "./namespaces.ts";

/** The line in front of a document. */
export const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Prefix (empty for the default) -> URI, for what is in scope. */
type Scope = ReadonlyMap<string, string>;

/**
 * Writes an element and what is in it. Prefixes are those of `declarations`, its own and those of
 * the elements around it; a namespace that none of them has gets one. Throws XML_UNWRITABLE for
 * names and characters that XML does not have.
 */
export function renderXml(
  element: XmlElement,
  { declaration = false }: { readonly declaration?: boolean } = {},
): string {
  const text = renderElement(element, new Map([["", ""], ["xml", xmlNamespace]]));
  return declaration ? xmlDeclaration + text : text;
}

/** An element from its parts, for documents made here. */
export function xmlElement(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  children: XmlElement["children"] = [],
  more: Partial<Pick<XmlElement, "attributes" | "declarations">> = {},
): XmlElement {
  return { name, namespace, children, attributes: [], declarations: new Map(), ...more };
}

function renderElement(element: XmlElement, outer: Scope): string {
  const scope = new Map([...outer, ...element.declarations]);
  const declared = new Map(element.declarations);
  const name = qualify(element, { scope, declared, isAttribute: false });
  let attributes = "";
  for (const attribute of element.attributes) {
    const qualified = qualify(attribute, { scope, declared, isAttribute: true });
    attributes += ` ${qualified}="${escapeAttribute(attribute.value)}"`;
  }
  let head = `<${name}`;
  for (const [prefix, uri] of declared) {
    head += ` xmlns${prefix === "" ? "" : `:${prefix}`}="${escapeAttribute(uri)}"`;
  }
  head += attributes;
  if (element.children.length === 0) return `${head}/>`;
  let inner = "";
  for (const child of element.children) {
    inner += typeof child === "string" ? escapeText(child) : renderElement(child, scope);
  }
  return `${head}>${inner}</${name}>`;
}

interface Naming {
  readonly scope: Map<string, string>;
  /** What the element at hand declares. */
  readonly declared: Map<string, string>;
  readonly isAttribute: boolean;
}

function qualify(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  { scope, declared, isAttribute }: Naming,
): string {
  if (!isXmlName(name)) throw unwritable(name, "it is not a name of XML");
  if (isAttribute && namespace === "") return name;
  // The default namespace does not reach attributes.
  for (const [prefix, uri] of scope) {
    if (uri !== namespace || (isAttribute && prefix === "")) continue;
    return prefix === "" ? name : `${prefix}:${name}`;
  }
  const prefix = isAttribute ? freePrefix(scope) : "";
  if (prefix === "" && declared.has("")) {
    if (namespace === "") throw unwritable(name, "it has no namespace below its own default one");
    const other = freePrefix(scope);
    declare(other, namespace, { scope, declared });
    return `${other}:${name}`;
  }
  declare(prefix, namespace, { scope, declared });
  return prefix === "" ? name : `${prefix}:${name}`;
}

function declare(
  prefix: string,
  uri: string,
  { scope, declared }: Pick<Naming, "scope" | "declared">,
): void {
  scope.set(prefix, uri);
  declared.set(prefix, uri);
}

function freePrefix(scope: Scope): string {
  let count = 1;
  while (scope.has(`n${count}`)) count++;
  return `n${count}`;
}

function unwritable(name: string, reason: string): PlatformError {
  return new PlatformError("XML_UNWRITABLE", { where: `"${name.slice(0, 100)}"`, reason });
}
