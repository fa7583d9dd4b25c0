import { PlatformError } from "../errors/platform-error.ts";

/** A content type taken apart. */
export interface MediaType {
  /** Type and subtype in lower case, such as `text/csv`. */
  readonly essence: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const noParameters: ReadonlyMap<string, string> = new Map();

/** What almost every request says. */
export const jsonType: MediaType = { essence: "application/json", parameters: noParameters };

const token = /^[\w!#$%&'*+.^`|~-]+$/;
const parameterPattern =
  /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?/gy;

/**
 * Reads a `Content-Type`; an absent one is `application/octet-stream`, as RFC 9110 allows. Throws
 * REQUEST_MALFORMED for text that is none, and for a header that came twice.
 */
export function parseMediaType(header: string | null): MediaType {
  if (header === null) return { essence: "application/octet-stream", parameters: noParameters };
  if (header === "application/json") return jsonType;
  const end = header.indexOf(";");
  const essence = (end < 0 ? header : header.slice(0, end)).trim().toLowerCase();
  const [type = "", subtype = "", ...more] = essence.split("/");
  if (more.length > 0 || !token.test(type) || !token.test(subtype)) throw malformed(header);
  return {
    essence,
    parameters: end < 0 ? noParameters : parseParameters(header, end),
  };
}

function parseParameters(header: string, start: number): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  parameterPattern.lastIndex = start;
  let end = start;
  for (const [text, name, plain, quoted] of header.matchAll(parameterPattern)) {
    end += text.length;
    if (name === undefined) continue;
    const key = name.toLowerCase();
    if (parameters.has(key)) throw malformed(header);
    parameters.set(key, plain ?? quoted!.replaceAll(/\\(.)/g, "$1"));
  }
  if (header.slice(end).trim() !== "") throw malformed(header);
  return parameters;
}

function malformed(header: string): PlatformError {
  const reason = header.includes(",")
    ? "The Content-Type header came twice, or has a comma in it"
    : "The Content-Type header is not a media type";
  return new PlatformError("REQUEST_MALFORMED", { reason });
}

const lenient = new TextDecoder();
const strict = new TextDecoder("utf-8", { fatal: true });

/**
 * Text of a body whose charset is UTF-8, said or not. Throws REQUEST_CONTENT_TYPE for another one
 * and REQUEST_MALFORMED for bytes that are not UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array, { parameters }: MediaType): string {
  if (parameters.size > 0) requireUtf8(parameters);
  // The strict decoder takes several times as long; its mark tells where it has to be asked.
  const text = lenient.decode(bytes);
  if (!text.includes("\ufffd")) return text;
  try {
    return strict.decode(bytes);
  } catch (error) {
    const reason = "The body is not UTF-8";
    throw new PlatformError("REQUEST_MALFORMED", { reason }, { cause: error });
  }
}

/** Throws REQUEST_CONTENT_TYPE when the parameters name a charset that is not UTF-8. */
export function requireUtf8(parameters: MediaType["parameters"]): void {
  const charset = parameters.get("charset")?.toLowerCase();
  if (charset === undefined || charset === "utf-8" || charset === "utf8") return;
  if (charset !== "us-ascii") throw new PlatformError("REQUEST_CONTENT_TYPE");
}

/** One range of an `Accept` header. */
interface AcceptRange {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
}

/** Ranges that are looked at; what stands behind them is not. */
const rangesMax = 32;

function parseAccept(header: string): readonly AcceptRange[] {
  return header.toLowerCase().split(",", rangesMax).flatMap((part) => {
    const [range = "", ...parameters] = part.split(";").map((text) => text.trim());
    const [type, subtype] = range.split("/");
    if (!type || !subtype) return [];
    const q = parameters.find((text) => text.startsWith("q="))?.slice(2);
    const quality = q === undefined ? 1 : Number(q);
    return [{ type, subtype, quality: quality >= 0 && quality <= 1 ? quality : 0 }];
  });
}

/**
 * The place of the content type that a client likes best, by its `Accept`; equally liked ones in
 * the order given. -1 when it wants none of them. Without a header, the first.
 */
export function negotiate(accept: string | null, essences: readonly string[]): number {
  if (accept === null || accept.trim() === "") return 0;
  const ranges = parseAccept(accept);
  let best = -1;
  let bestQuality = 0;
  for (const [index, essence] of essences.entries()) {
    const quality = qualityOf(essence, ranges);
    if (quality <= bestQuality) continue;
    best = index;
    bestQuality = quality;
  }
  return best;
}

/** The quality of the narrowest range that covers a type. */
function qualityOf(essence: string, ranges: readonly AcceptRange[]): number {
  const [type, subtype] = essence.split("/");
  let quality = 0;
  let narrowest = 0;
  for (const range of ranges) {
    const width = widthOf(range, type!, subtype!); // content types of ours have both
    if (width > narrowest) [narrowest, quality] = [width, range.quality];
  }
  return quality;
}

function widthOf(range: AcceptRange, type: string, subtype: string): number {
  if (range.type === "*" && range.subtype === "*") return 1;
  if (range.type !== type && type !== "*") return 0;
  if (range.subtype === "*" || subtype === "*") return 2;
  return range.subtype === subtype ? 3 : 0;
}
