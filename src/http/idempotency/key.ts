import { createHash } from "node:crypto";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Principal } from "../../security/principal.ts";
import type { ChannelInfo } from "../../service/call.ts";

/** The name of the header, in lower case. */
export const keyHeader = "idempotency-key";

/** Methods that promise to change nothing (RFC 9110, 9.2.1): a key means nothing there. */
const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/** False for methods that promise to change nothing: a key means nothing there. */
export function mayHaveKey(method: string): boolean {
  return !safeMethods.has(method);
}

const lengthMax = 255;

/** A string of RFC 8941 with its quotation marks, or visible characters but `"` and `,`. */
const syntax = /^(?:"((?:[ !\x23-\x5b\x5d-\x7e]|\\["\\])+)"|([!\x23-\x2b\x2d-\x7e]+))$/;

/**
 * The key in an `Idempotency-Key` header: a string as the IETF's draft has it, or the same without
 * quotation marks, as most clients send it. Throws REQUEST_KEY_INVALID.
 */
export function parseKey(header: string): string {
  const [, quoted, bare] = syntax.exec(header.trim()) ?? [];
  const key = bare ?? quoted?.replaceAll(/\\(["\\])/g, "$1");
  if (key !== undefined && key.length <= lengthMax) return key;
  const reason = key === undefined
    ? "it is not one text of visible ASCII characters"
    : `it has ${key.length} characters, and ${lengthMax} is the limit`;
  throw new PlatformError("REQUEST_KEY_INVALID", { reason });
}

/** Channel, client and key in one: clients that choose the same key do not meet. */
export function keyId(channel: ChannelInfo, principal: Principal | undefined, key: string): string {
  const client = principal && [principal.kind, principal.name, principal.subject ?? null];
  const parts = [channel.kind, channel.name, client ?? null, key];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
