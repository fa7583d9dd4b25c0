import { PlatformError } from "../../errors/platform-error.ts";
import type { XmlElement } from "../../xml/element.ts";
import { attributeOf, childElements, textOf } from "../../xml/query.ts";
import type { QName } from "./names.ts";

/** An element of a WSDL or a schema, with what is in scope there and where it stands. */
export class Cursor {
  readonly element: XmlElement;
  /** Way from the root, for error messages: `definitions/types/schema "urn:x"/element "a"`. */
  readonly place: string;
  readonly #scope: ReadonlyMap<string, string>;

  constructor(element: XmlElement, outer?: Cursor) {
    this.element = element;
    const { declarations } = element;
    const around = outer === undefined ? new Map<string, string>() : outer.#scope;
    this.#scope = declarations.size === 0 ? around : new Map([...around, ...declarations]);
    this.place = (outer === undefined ? "" : `${outer.place}/`) + titleOf(element);
  }

  get name(): string {
    return this.element.name;
  }

  /** The elements inside, of one namespace, and of one name when that is given. */
  children(namespace: string, name?: string): readonly Cursor[] {
    return childElements(this.element)
      .filter((one) => one.namespace === namespace && (name === undefined || one.name === name))
      .map((one) => new Cursor(one, this));
  }

  child(namespace: string, name: string): Cursor | undefined {
    return this.children(namespace, name)[0];
  }

  attribute(name: string, namespace = ""): string | undefined {
    return attributeOf(this.element, name, namespace)?.trim();
  }

  /** An attribute that must be there. */
  required(name: string): string {
    const value = this.attribute(name);
    if (value === undefined || value === "") throw this.error(`it has no ${name}`);
    return value;
  }

  /** The name that an attribute refers to; names without a prefix are in the default namespace. */
  reference(attribute: string): QName | undefined {
    const text = this.attribute(attribute);
    return text === undefined ? undefined : this.resolve(text);
  }

  resolve(text: string): QName {
    const colon = text.indexOf(":");
    const prefix = colon < 0 ? "" : text.slice(0, colon);
    const namespace = this.#scope.get(prefix);
    if (namespace === undefined && prefix !== "") {
      throw this.error(`the prefix of "${text.slice(0, 100)}" is not declared`);
    }
    return { namespace: namespace ?? "", name: text.slice(colon + 1) };
  }

  text(): string {
    return textOf(this.element).trim();
  }

  /** SOAP_WSDL_INVALID at this place. */
  error(reason: string): PlatformError {
    return new PlatformError("SOAP_WSDL_INVALID", { where: this.place, reason });
  }
}

function titleOf(element: XmlElement): string {
  const title = attributeOf(element, "name") ?? attributeOf(element, "ref") ??
    attributeOf(element, "targetNamespace");
  return title === undefined ? element.name : `${element.name} "${title.slice(0, 200)}"`;
}
