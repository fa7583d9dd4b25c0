import { PlatformError } from "../errors/platform-error.ts";
import type { XmlElement } from "../xml/element.ts";
import { attributeOf, childElements } from "../xml/query.ts";
import { xmlDeclaration } from "../xml/render.ts";
import { soap11, soap12, type SoapVersion } from "./version.ts";

/** A message, taken apart. */
export interface Envelope {
  readonly version: SoapVersion;
  /** The elements in its header. */
  readonly headers: readonly XmlElement[];
  /** The element in its body; undefined for an empty one. */
  readonly content: XmlElement | undefined;
}

const noHeaders: readonly XmlElement[] = [];

/** The version of an envelope that a channel takes. Throws SOAP_MALFORMED, SOAP_VERSION_MISMATCH. */
export function versionOf(
  { name, namespace }: XmlElement,
  versions: readonly SoapVersion[],
): SoapVersion {
  if (name !== "Envelope") throw malformed("the root is not an Envelope");
  const version = versions.find((one) => one.namespace === namespace);
  if (version !== undefined) return version;
  const names = versions.map((one) => one.name).join(" and ");
  throw new PlatformError("SOAP_VERSION_MISMATCH", { versions: names });
}

/** Takes an envelope apart. Throws SOAP_MALFORMED. */
export function openEnvelope(root: XmlElement, version: SoapVersion): Envelope {
  let headers = noHeaders;
  let body: XmlElement | undefined;
  for (const part of childElements(root)) {
    const isOwn = part.namespace === version.namespace;
    if (isOwn && part.name === "Body" && body === undefined) body = part;
    else if (isOwn && part.name === "Header" && body === undefined && headers === noHeaders) {
      headers = childElements(part);
    } else throw malformed(`"${part.name}" does not belong there`);
  }
  if (body === undefined) throw malformed("there is no Body");
  const [content, another] = childElements(body);
  if (another !== undefined) throw malformed("there is more than one element in the Body");
  return { version, headers, content };
}

/** Roles in which we act, beside the ultimate receiver, which may go unnamed. */
const roles = new Set([
  "http://schemas.xmlsoap.org/soap/actor/next",
  "http://www.w3.org/2003/05/soap-envelope/role/next",
  "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
]);

/**
 * Throws SOAP_NOT_UNDERSTOOD for a header that is meant for us, must be understood and is not.
 * `understood`: names as `{namespace}name`.
 */
export function checkHeaders(
  { version, headers }: Envelope,
  understood: ReadonlySet<string>,
): void {
  const { namespace } = version;
  for (const header of headers) {
    const must = attributeOf(header, "mustUnderstand", namespace)?.trim();
    if (must !== "1" && must !== "true") continue;
    const role = attributeOf(header, version === soap11 ? "actor" : "role", namespace)?.trim();
    if (role !== undefined && role !== "" && !roles.has(role)) continue;
    const name = `{${header.namespace}}${header.name}`;
    if (!understood.has(name)) throw new PlatformError("SOAP_NOT_UNDERSTOOD", { header: name });
  }
}

const heads = new Map([soap11, soap12].map((version) => [
  version,
  `${xmlDeclaration}<soap:Envelope xmlns:soap="${version.namespace}">`,
]));

/** An envelope around what is written already. */
export function renderEnvelope(version: SoapVersion, content: string, header = ""): string {
  return `${heads.get(version)}${header}<soap:Body>${content}</soap:Body></soap:Envelope>`;
}

function malformed(reason: string): PlatformError {
  return new PlatformError("SOAP_MALFORMED", { reason });
}
