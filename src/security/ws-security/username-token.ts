import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { XmlElement } from "../../xml/element.ts";
import { escapeAttribute, escapeText } from "../../xml/escape.ts";
import { attributeOf, childElements, textOf } from "../../xml/query.ts";
import { base64Encoding, passwordDigest, passwordText, wsseNamespace } from "./names.ts";
import { wsuNamespace } from "./names.ts";

/** What stands in a UsernameToken. */
export interface UsernameToken {
  readonly username: string;
  readonly password: string;
  readonly type: "text" | "digest";
  /** Base64, as it came; undefined when there is none. */
  readonly nonce: string | undefined;
  readonly created: string | undefined;
}

/** Reads a `UsernameToken`; undefined for one that is malformed. */
export function readUsernameToken(element: XmlElement): UsernameToken | undefined {
  const username = only(element, wsseNamespace, "Username");
  const password = only(element, wsseNamespace, "Password");
  if (username === undefined || password === undefined) return undefined;
  const said = attributeOf(password, "Type")?.trim() ?? passwordText;
  const type = said === passwordDigest ? "digest" : said === passwordText ? "text" : undefined;
  if (type === undefined) return undefined;
  const nonce = only(element, wsseNamespace, "Nonce");
  const created = only(element, wsuNamespace, "Created");
  return {
    username: textOf(username).trim(),
    // Only a digest may have white space around it that is not part of it.
    password: type === "digest" ? textOf(password).trim() : textOf(password),
    type,
    nonce: nonce === undefined ? undefined : textOf(nonce).trim(),
    created: created === undefined ? undefined : textOf(created).trim(),
  };
}

function only(element: XmlElement, namespace: string, name: string): XmlElement | undefined {
  const found = childElements(element).filter((one) =>
    one.name === name && one.namespace === namespace
  );
  return found.length === 1 ? found[0] : undefined;
}

/** Whether a token shows the password, in a time that tells nothing of it. */
export function isPasswordOf(token: UsernameToken, password: string): boolean {
  const { type, nonce = "", created = "" } = token;
  const expected = type === "text" ? password : digestOf(password, { nonce, created });
  // Digests of both, because only texts of one length can be compared so.
  return timingSafeEqual(hash(token.password), hash(expected));
}

/** `Base64(SHA-1(nonce + created + password))`: UsernameToken profile, section 3.1. */
function digestOf(
  password: string,
  { nonce, created }: { readonly nonce: string; readonly created: string },
): string {
  return createHash("sha1").update(Buffer.from(nonce, "base64")).update(created).update(password)
    .digest("base64");
}

function hash(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

export interface UsernameTokenOptions {
  readonly username: string;
  readonly password: string;
  readonly type: "text" | "digest";
  readonly now: Date;
}

/** Writes a token with a new nonce. Prefixes are `wsse` and `wsu`. */
export function renderUsernameToken(options: UsernameTokenOptions): string {
  const { username, password, type, now } = options;
  const nonce = randomBytes(16).toString("base64");
  const created = now.toISOString();
  const shown = type === "text" ? password : digestOf(password, { nonce, created });
  const typeName = type === "text" ? passwordText : passwordDigest;
  return `<wsse:UsernameToken><wsse:Username>${escapeText(username)}</wsse:Username>` +
    `<wsse:Password Type="${escapeAttribute(typeName)}">${escapeText(shown)}</wsse:Password>` +
    `<wsse:Nonce EncodingType="${base64Encoding}">${nonce}</wsse:Nonce>` +
    `<wsu:Created>${created}</wsu:Created></wsse:UsernameToken>`;
}
