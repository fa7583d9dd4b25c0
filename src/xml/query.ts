import type { XmlElement } from "./element.ts";

/** The elements directly inside one. */
export function childElements(element: XmlElement): readonly XmlElement[] {
  return element.children.filter((child) => typeof child !== "string");
}

/** The first element directly inside with this name; any namespace unless one is given. */
export function childElement(
  element: XmlElement,
  name: string,
  namespace?: string,
): XmlElement | undefined {
  for (const child of element.children) {
    if (typeof child === "string" || child.name !== name) continue;
    if (namespace === undefined || child.namespace === namespace) return child;
  }
  return undefined;
}

/** An attribute's value; without a namespace unless one is given. */
export function attributeOf(element: XmlElement, name: string, namespace = ""): string | undefined {
  for (const attribute of element.attributes) {
    if (attribute.name === name && attribute.namespace === namespace) return attribute.value;
  }
  return undefined;
}

/** All text directly inside an element, elements left out. */
export function textOf({ children }: XmlElement): string {
  if (children.length === 1) return typeof children[0] === "string" ? children[0] : "";
  let text = "";
  for (const child of children) if (typeof child === "string") text += child;
  return text;
}
