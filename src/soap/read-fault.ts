import type { XmlElement } from "../xml/element.ts";
import { childElement, childElements, textOf } from "../xml/query.ts";
import { soap11, type SoapVersion } from "./version.ts";

/** A fault as it came. */
export interface SoapFault {
  /** Without a prefix: `Server`, `Sender`, or with subcodes `Sender/NoSuchCustomer`. */
  readonly code: string;
  readonly reason: string;
  /** The elements in its detail. */
  readonly detail: readonly XmlElement[];
}

/** Reads the element in a body as a fault; undefined when it is none. */
export function readFault(
  content: XmlElement | undefined,
  version: SoapVersion,
): SoapFault | undefined {
  if (content?.name !== "Fault" || content.namespace !== version.namespace) return undefined;
  return version === soap11 ? readFault11(content) : readFault12(content, version.namespace);
}

// Some toolkits give the members of a SOAP 1.1 fault the namespace of the envelope.
function readFault11(fault: XmlElement): SoapFault {
  const detail = childElement(fault, "detail");
  return {
    code: localName(childText(fault, "faultcode")) || "unknown",
    reason: childText(fault, "faultstring") || "no reason given",
    detail: detail === undefined ? [] : childElements(detail),
  };
}

function readFault12(fault: XmlElement, namespace: string): SoapFault {
  const codes: string[] = [];
  let code = childElement(fault, "Code", namespace);
  while (code !== undefined && codes.length < 10) {
    codes.push(localName(childText(code, "Value")));
    code = childElement(code, "Subcode", namespace);
  }
  const reason = childElement(fault, "Reason", namespace);
  const texts = reason === undefined ? [] : childElements(reason);
  const english = texts.find((text) =>
    text.attributes.some(({ name, value }) => name === "lang" && value.startsWith("en"))
  );
  const chosen = english ?? texts[0];
  const detail = childElement(fault, "Detail", namespace);
  return {
    code: codes.join("/") || "unknown",
    reason: (chosen === undefined ? "" : textOf(chosen).trim()) || "no reason given",
    detail: detail === undefined ? [] : childElements(detail),
  };
}

function childText(element: XmlElement, name: string): string {
  const child = childElement(element, name);
  return child === undefined ? "" : textOf(child).trim();
}

function localName(text: string): string {
  return text.slice(text.indexOf(":") + 1);
}
