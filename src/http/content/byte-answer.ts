import { basename } from "node:path";
import mime from "mime";
import { PlatformError } from "../../errors/platform-error.ts";
import type { FileResponse } from "../../service/http/file-response.ts";
import { evaluatePreconditions } from "../../service/http/preconditions.ts";
import type { Exchange } from "../exchange.ts";
import {
  type ByteSource,
  type FileSource,
  multipartRanges,
  openFileSource,
} from "./byte-source.ts";
import { cutStream, type StreamOutput, toByteStream, watchStream } from "./byte-stream.ts";
import { type ByteRange, parseRanges } from "./range.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The body of an answer that is sent while it is read, and the status that goes with it. */
export interface ByteAnswer {
  readonly status: number;
  readonly body: ReadableStream<Bytes> | null;
}

/** The content type of a file by its name's ending. */
export function typeOfFile(name: string): string {
  const type = mime.getType(name) ?? "application/octet-stream";
  return /^text\/|\/(javascript|json)$|\+json$/.test(type) ? `${type}; charset=utf-8` : type;
}

/**
 * A file that a service answers with; fills in `headers` what the service has not set. Rejects
 * with REQUEST_NO_CHANNEL when there is no such file, and as `sendFile` does.
 */
export async function answerFile(
  exchange: Exchange,
  { path, name = basename(path), type = typeOfFile(name), download = false }: FileResponse,
  headers: Headers,
): Promise<ByteAnswer> {
  const source = await openFileSource(path);
  if (source === undefined) throw new PlatformError("REQUEST_NO_CHANNEL");
  headers.set("Content-Type", type);
  headers.set("Content-Disposition", disposition(name, download));
  return await sendFile(exchange, source, headers);
}

/**
 * An open file: conditions, ranges, then its bytes. Closes it. Rejects with REQUEST_PRECONDITION
 * and REQUEST_RANGE.
 */
export async function sendFile(
  exchange: Exchange,
  source: FileSource,
  headers: Headers,
): Promise<ByteAnswer> {
  const { etag, modifiedAt } = source;
  const { method } = exchange.web;
  if (!headers.has("etag")) headers.set("ETag", etag);
  headers.set("Last-Modified", modifiedAt.toUTCString());
  const validators = { etag: headers.get("etag")!, lastModified: modifiedAt }; // set just above
  const status = evaluatePreconditions({ method, headers: exchange.headers }, validators);
  if (status !== 0) await source.close();
  if (status === 412) throw new PlatformError("REQUEST_PRECONDITION");
  if (status === 304) {
    headers.delete("content-type");
    headers.delete("content-disposition");
    return { status, body: null };
  }
  try {
    return sendSource(exchange, source, headers);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Bytes of known length: ranges are answered. Throws REQUEST_RANGE. */
export function sendSource(
  exchange: Exchange,
  source: ByteSource,
  headers: Headers,
): ByteAnswer {
  const { sizeBytes } = source;
  headers.set("Accept-Ranges", "bytes");
  const ranges = rangesOf(exchange, headers, sizeBytes);
  if (ranges !== undefined && ranges.length > 1) {
    const type = headers.get("content-type") ?? "application/octet-stream";
    const parts = multipartRanges(source, ranges, type);
    headers.set("Content-Type", parts.contentType);
    headers.set("Content-Length", String(parts.sizeBytes));
    return stream(exchange, { status: 206, source, body: parts.body });
  }
  const [range] = ranges ?? [];
  const whole = { start: 0, end: sizeBytes };
  setLength(headers, range, sizeBytes);
  const body = source.read(range ?? whole);
  return stream(exchange, { status: range === undefined ? 200 : 206, source, body });
}

/** What a service makes as it is sent. Throws REQUEST_RANGE. */
export function sendStream(
  exchange: Exchange,
  { stream: made, type, sizeBytes }: StreamOutput,
  headers: Headers,
): ByteAnswer {
  if (type !== undefined) headers.set("Content-Type", type);
  else if (!headers.has("content-type")) headers.set("Content-Type", "application/octet-stream");
  // Proxies in between would gather events until there are enough of them.
  if (type === "text/event-stream") {
    headers.set("X-Accel-Buffering", "no");
    if (!headers.has("cache-control")) headers.set("Cache-Control", "no-cache");
  }
  if (sizeBytes === undefined) return watched(exchange, made, 200);
  headers.set("Accept-Ranges", "bytes");
  const ranges = rangesOf(exchange, headers, sizeBytes);
  // What cannot be read twice is sent whole when several ranges of it are asked for.
  const [range, ...more] = ranges ?? [];
  const cut = more.length === 0 ? range : undefined;
  setLength(headers, cut, sizeBytes);
  return cut === undefined
    ? watched(exchange, made, 200)
    : watched(exchange, cutStream(made, cut), 206);
}

function rangesOf(
  { web, headers: asked }: Exchange,
  headers: Headers,
  sizeBytes: number,
): readonly ByteRange[] | undefined {
  if (web.method !== "GET" || !isSameState(asked.get("if-range"), headers)) return undefined;
  const ranges = parseRanges(asked.get("range"), sizeBytes);
  if (ranges === "unsatisfiable") throw new PlatformError("REQUEST_RANGE", { sizeBytes });
  return ranges;
}

/** `If-Range`: a part is of use only if the client's other parts are of the same state. */
function isSameState(ifRange: string | null, headers: Headers): boolean {
  if (ifRange === null) return true;
  if (ifRange.startsWith('"')) return ifRange === headers.get("etag");
  return ifRange === headers.get("last-modified");
}

function setLength(headers: Headers, range: ByteRange | undefined, sizeBytes: number): void {
  const { start, end } = range ?? { start: 0, end: sizeBytes };
  headers.set("Content-Length", String(end - start));
  if (range === undefined) return;
  headers.set("Content-Range", `bytes ${start}-${end - 1}/${sizeBytes}`);
}

interface Sending {
  readonly status: number;
  readonly source: ByteSource;
  readonly body: AsyncIterable<Bytes>;
}

function stream(exchange: Exchange, { status, source, body }: Sending): ByteAnswer {
  return watched(exchange, toByteStream(body), status, () => source.close());
}

/** Ends with the request: what it holds is given back when the last byte has been sent. */
function watched(
  exchange: Exchange,
  made: ReadableStream<Bytes>,
  status: number,
  close?: () => Promise<void>,
): ByteAnswer {
  exchange.isStreaming = true;
  const onEnd = async () => {
    await close?.();
    await exchange.releaseUploads?.();
  };
  const onFailure = (error: unknown) => {
    const { cid, route, runtime } = exchange;
    const channel = route?.channel.name;
    const service = route?.service;
    runtime.logger.error("Answer broken off", { cid, channel, service, error });
  };
  const body = watchStream(made, { onEnd, onFailure });
  if (exchange.web.method !== "HEAD") return { status, body };
  void body.cancel();
  return { status, body: null };
}

/** RFC 6266: a plain name for old clients, and the name as it is. */
function disposition(name: string, download: boolean): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, "_");
  const exact = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const kind = download ? "attachment" : "inline";
  return `${kind}; filename="${plain}"${plain === name ? "" : `; filename*=UTF-8''${exact}`}`;
}
