import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";

/** A content type that channels take. */
export type BodyFormat = "json" | "form";

/**
 * The format of a body by its headers. Throws REQUEST_CONTENT_TYPE for others, for text that
 * says it is not UTF-8.
 */
export function bodyFormat(headers: Headers): BodyFormat {
  const contentType = headers.get("content-type");
  if (contentType === "application/json") return "json";
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  for (const parameter of parameters) {
    const charset = /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(parameter)?.[1];
    if (charset !== undefined && charset !== "utf-8" && charset !== "utf8") {
      throw new PlatformError("REQUEST_CONTENT_TYPE");
    }
  }
  const essence = type.trim();
  if (essence === "application/json" || /^[\w.-]+\/[\w.-]+\+json$/.test(essence)) return "json";
  if (essence === "application/x-www-form-urlencoded") return "form";
  throw new PlatformError("REQUEST_CONTENT_TYPE");
}

/**
 * How many bytes of body the request announces; undefined for a body of unknown length. The body
 * of GET, HEAD and OPTIONS is ignored: 0.
 */
export function announcedBytes({ method }: Request, headers: Headers): number | undefined {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return 0;
  const length = headers.get("content-length");
  if (length !== null) return Number(length);
  return headers.get("transfer-encoding") === null ? 0 : undefined;
}

/**
 * Reads a body of at most `limit` bytes; the engine holds the client to the length it announced.
 * Rejects with REQUEST_BODY_SIZE.
 */
export function readBytes(
  request: Request,
  announced: number | undefined,
  limit: number,
): Promise<Uint8Array> {
  return announced === undefined ? readStream(request, limit) : request.bytes();
}

async function readStream(request: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > limit) throw new PlatformError("REQUEST_BODY_SIZE", { limit });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const decoder = new TextDecoder();

/** Bytes that are not UTF-8 become U+FFFD, as the Fetch standard has it. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** What went wrong with a body, for the client. */
export function bodyFailure(error: unknown, headers: Headers): PlatformError {
  if (isPlatformError(error)) return error;
  if (!(error instanceof SyntaxError)) return malformed("The request body was cut off", error);
  // A compressed body is not what its content type says; looked at only when parsing fails.
  if (headers.get("content-encoding") !== null) return new PlatformError("REQUEST_CONTENT_TYPE");
  return malformed(`The body is not JSON: ${error.message}`, error);
}

/**
 * Refuses a decoded body with keys that reach the prototypes of whoever copies them: `__proto__`,
 * and `constructor` with a `prototype`. Throws REQUEST_MALFORMED.
 */
export function refusePrototypeKeys(body: unknown): void {
  if (typeof body !== "object" || body === null) return;
  // A list of our own instead of recursion: how deep it nests is the client's choice.
  const open: object[] = [body];
  for (let object = open.pop(); object !== undefined; object = open.pop()) {
    if (!Array.isArray(object)) refuseKeysOf(object);
    // What JSON.parse made has no inherited enumerable keys.
    for (const key in object) {
      const inner: unknown = object[key as keyof typeof object]; // a key of its own
      if (typeof inner === "object" && inner !== null) open.push(inner);
    }
  }
}

function refuseKeysOf(object: object): void {
  if (Object.hasOwn(object, "__proto__")) throw forbiddenKey("__proto__");
  if (!Object.hasOwn(object, "constructor")) return;
  const { constructor } = object;
  if (typeof constructor === "object" && Object.hasOwn(constructor ?? {}, "prototype")) {
    throw forbiddenKey("constructor.prototype");
  }
}

/** The error for a key that no input may have. */
export function forbiddenKey(key: string): PlatformError {
  return malformed(`The input has the key "${key}"`);
}

function malformed(reason: string, cause?: unknown): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason }, { cause });
}
