import { PlatformError, reasonOf } from "../../errors/platform-error.ts";

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

/** True when the request announces a body. One that comes with GET, HEAD or OPTIONS is ignored. */
export function hasBody({ method }: Request, headers: Headers): boolean {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return false;
  const length = headers.get("content-length");
  return length === null ? headers.get("transfer-encoding") !== null : length !== "0";
}

/**
 * Reads a body of at most `limit` bytes. Rejects with REQUEST_BODY_SIZE, before reading when the
 * length was announced, and with REQUEST_MALFORMED when the client went away.
 */
export function readBytes(request: Request, headers: Headers, limit: number): Promise<Uint8Array> {
  const length = headers.get("content-length");
  if (length === null) return readStream(request, limit);
  if (Number(length) > limit) return Promise.reject(tooLarge(limit));
  // The engine reads no further than the announced length.
  return request.bytes().catch(cutOff);
}

/**
 * Reads and parses JSON in one step, which the engine does fastest. Bytes that are not UTF-8
 * become U+FFFD, as the Fetch standard has it. Rejects as `readBytes` and throws as `parseJson` do.
 */
export async function readJson(
  request: Request,
  headers: Headers,
  limit: number,
): Promise<unknown> {
  const length = headers.get("content-length");
  if (length === null) return parseJson(decodeText(await readStream(request, limit)));
  if (Number(length) > limit) throw tooLarge(limit);
  let value: unknown;
  try {
    value = await request.json();
  } catch (error) {
    if (error instanceof SyntaxError) throw notJson(error);
    return cutOff(error);
  }
  refusePrototypeKeys(value);
  return value;
}

async function readStream(request: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    return cutOff(error);
  }
  return Buffer.concat(chunks);
}

function cutOff(error: unknown): never {
  if (error instanceof PlatformError) throw error;
  throw new PlatformError("REQUEST_MALFORMED", { reason: "The request body was cut off" }, {
    cause: error,
  });
}

function tooLarge(limit: number): PlatformError {
  return new PlatformError("REQUEST_BODY_SIZE", { limit });
}

const decoder = new TextDecoder();

export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/**
 * Parses JSON. Keys that reach the prototypes of whoever copies them (`__proto__`, and
 * `constructor` with a `prototype`) are refused: REQUEST_MALFORMED.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notJson(error);
  }
  refusePrototypeKeys(value);
  return value;
}

function refusePrototypeKeys(root: unknown): void {
  if (typeof root !== "object" || root === null) return;
  // A list of our own instead of recursion: how deep it nests is the client's choice.
  const open: object[] = [root];
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

function notJson(error: unknown): PlatformError {
  return malformed(`The body is not JSON: ${reasonOf(error)}`, error);
}

function malformed(reason: string, cause?: unknown): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason }, { cause });
}
