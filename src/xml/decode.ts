import { PlatformError, reasonOf } from "../errors/platform-error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });
const bom = "\ufeff";

/**
 * Decodes a document: by its byte order mark, else by `charset` (what the transport said), else by
 * its XML declaration, else as UTF-8. Throws XML_ENCODING for encodings that are not known or do
 * not fit, and for invalid bytes.
 */
export function decodeXml(bytes: Uint8Array, charset?: string): string {
  const marked = markedEncoding(bytes);
  if (marked !== undefined) return decodeAs(bytes, marked);
  // Without a mark, "<" and its neighbour tell the two byte orders of UTF-16 apart.
  const wide = bytes[0] === 0x3c && bytes[1] === 0
    ? "utf-16le"
    : bytes[0] === 0 && bytes[1] === 0x3c
    ? "utf-16be"
    : undefined;
  if (wide !== undefined) return decodeAs(bytes, wide);
  const said = charset ?? declaredEncoding(bytes);
  if (said === undefined) return decodeAs(bytes, "utf-8");
  if (/^utf-?16/i.test(said)) {
    throw new PlatformError("XML_ENCODING", { encoding: said, reason: "its bytes are not UTF-16" });
  }
  return decodeAs(bytes, said);
}

function markedEncoding(bytes: Uint8Array): string | undefined {
  const [first, second, third, fourth] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return third === 0 && fourth === 0 ? "utf-32" : "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : undefined;
}

/** What an XML declaration in ASCII says. */
function declaredEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] !== 0x3c || bytes[1] !== 0x3f) return undefined;
  const end = Math.min(bytes.indexOf(0x3e) + 1, 200);
  const declaration = String.fromCharCode(...bytes.subarray(0, end));
  return /^<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:-]{1,40})["']/.exec(declaration)?.[1];
}

function decodeAs(bytes: Uint8Array, encoding: string): string {
  try {
    const decoder = /^utf-?8$/i.test(encoding) ? utf8 : new TextDecoder(encoding, { fatal: true });
    const text = decoder.decode(bytes);
    // The decoder takes one mark off; a second one would be content in front of the root.
    return text.startsWith(bom) ? text.slice(1) : text;
  } catch (error) {
    const isUnknown = error instanceof RangeError;
    const reason = isUnknown ? "it is not known here" : `it has invalid bytes (${reasonOf(error)})`;
    throw new PlatformError("XML_ENCODING", { encoding, reason }, { cause: error });
  }
}
