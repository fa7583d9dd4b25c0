import { createGunzip } from "node:zlib";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";

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

/** A body that has to be read. */
export interface IncomingBody {
  readonly web: Request;
  readonly announced: number | undefined;
  /** Most bytes, counted as they came and again when they are decompressed. */
  readonly limit: number;
  readonly isCompressed: boolean;
}

/**
 * What a request says of its body, before any of it is read. Throws REQUEST_BODY_SIZE and
 * REQUEST_CONTENT_ENCODING.
 */
export function incomingBody(
  web: Request,
  announced: number | undefined,
  limit: number,
): IncomingBody {
  if (announced !== undefined && announced > limit) throw tooLarge(limit);
  return { web, announced, limit, isCompressed: isCompressed(web.headers) };
}

/** True for gzip. Throws REQUEST_CONTENT_ENCODING for anything else that is not the bytes as such. */
function isCompressed(headers: Headers): boolean {
  const encoding = headers.get("content-encoding");
  if (encoding === null) return false;
  const name = encoding.trim().toLowerCase();
  if (name === "gzip" || name === "x-gzip") return true;
  if (name === "" || name === "identity") return false;
  throw new PlatformError("REQUEST_CONTENT_ENCODING");
}

/**
 * Reads a body whole; the engine holds the client to the length it announced. Rejects with
 * REQUEST_BODY_SIZE, and REQUEST_MALFORMED for what is not gzip.
 */
export function readBytes(body: IncomingBody): Promise<Uint8Array> {
  const isSimple = body.announced !== undefined && !body.isCompressed;
  return isSimple ? body.web.bytes() : readWhole(readStream(body));
}

async function readWhole(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The body while it arrives, decompressed, within its limit. Fails as `readBytes` does. */
export async function* readStream(body: IncomingBody): AsyncGenerator<Uint8Array> {
  const { web, limit } = body;
  const raw: AsyncIterable<Uint8Array> = web.body ?? Readable.from([]);
  if (!body.isCompressed) return yield* bounded(raw, limit);
  const gunzip = createGunzip();
  // Its failure is the gunzip's own, which the loop below gets.
  const feeding = pipeline(Readable.from(bounded(raw, limit)), gunzip).catch(() => {});
  try {
    yield* bounded(gunzip, limit);
  } catch (error) {
    throw isPlatformError(error) ? error : malformed("The body is not gzip", error);
  } finally {
    gunzip.destroy();
    await feeding;
  }
}

async function* bounded(
  source: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limit) throw tooLarge(limit);
    yield chunk;
  }
}

/** What went wrong with a body, for the client. */
export function bodyFailure(error: unknown): PlatformError {
  return isPlatformError(error) ? error : malformed("The request body was cut off", error);
}

function tooLarge(limit: number): PlatformError {
  return new PlatformError("REQUEST_BODY_SIZE", { limit });
}

function malformed(reason: string, cause?: unknown): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason }, { cause });
}
