import { UnwritableError } from "../../formats/format.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { XmlElement } from "../../xml/element.ts";
import { childElements } from "../../xml/query.ts";
import { XsdDecoder } from "../xsd/decode.ts";
import { XsdEncoder } from "../xsd/encode.ts";
import { keyOf } from "../xsd/names.ts";
import { at } from "../xsd/pointer.ts";
import type { TypeFamily } from "../xsd/type-family.ts";
import type { WsdlMessage, WsdlOperation } from "./model.ts";

/**
 * Writes what stands in the body for an input: the members of its element, or in rpc its parts.
 * Empty for a message without anything. Throws an UnwritableError that names the member.
 */
export function encodeMessage(message: WsdlMessage, input: unknown, types: TypeFamily): string {
  const encoder = new XsdEncoder(types);
  let text: string;
  if (message.style === "document") {
    if (message.element === undefined) return "";
    text = encoder.element(message.element, input);
  } else text = encodeParts(message, input, encoder);
  // The declarations go behind the name of the outermost element.
  return text.replace(/^<[^\s/>]+/, (tag) => tag + encoder.declarations);
}

function encodeParts(
  { wrapper, parts }: Extract<WsdlMessage, { style: "rpc" }>,
  input: unknown,
  encoder: XsdEncoder,
): string {
  if (input !== undefined && (typeof input !== "object" || input === null)) {
    throw new UnwritableError("", "It is no object");
  }
  const values = (input ?? {}) as Readonly<Record<string, unknown>>; // just seen
  const names = parts.map(({ name }) => name);
  for (const key of Object.keys(values)) {
    if (names.includes(key) || values[key] === undefined) continue;
    const hint = didYouMean(key, names);
    throw new UnwritableError(`/${key}`, `The WSDL has no such part${hint}`);
  }
  const tag = encoder.qualified(wrapper);
  const content = parts.map((part) =>
    at(part.name, () => encoder.element({ ...part, type: part.type }, values[part.name]))
  ).join("");
  return `<${tag}>${content}</${tag}>`;
}

/** Reads what stands in the body: what `encodeMessage` writes; undefined for nothing. */
export function decodeMessage(
  message: WsdlMessage,
  content: XmlElement | undefined,
  types: TypeFamily,
): unknown {
  const decoder = new XsdDecoder(types);
  if (content === undefined) return undefined;
  if (message.style === "document") {
    return decoder.element(content, message.element?.type ?? { kind: "anything" });
  }
  const values: Record<string, unknown> = {};
  for (const child of childElements(content)) {
    const part = message.parts.find(({ name }) => name === child.name);
    if (part !== undefined) values[part.name] = decoder.element(child, part.type);
  }
  return values;
}

/** The elements of a fault's detail by name; undefined for none. */
export function decodeFaultDetail(
  { faults }: WsdlOperation,
  elements: readonly XmlElement[],
  types: TypeFamily,
): unknown {
  if (elements.length === 0) return undefined;
  const decoder = new XsdDecoder(types);
  return Object.fromEntries(elements.map((element) => {
    const fault = faults.find((one) => keyOf(one) === keyOf(element));
    return [element.name, decoder.element(element, fault?.type ?? { kind: "anything" })];
  }));
}
