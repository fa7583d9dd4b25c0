import { pipeline, Readable, type Transform } from "node:stream";
import { promisify } from "node:util";
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from "node:zlib";
import type { Exchange } from "../exchange.ts";
import type { HttpEndpoint } from "../route.ts";
import { toByteStream } from "./byte-stream.ts";

/** Below this, a body fits into one packet anyway. */
const bytesMin = 1_024;

/** Brotli's own default takes a hundred times as long. */
const brotliQuality = { [constants.BROTLI_PARAM_QUALITY]: 4 };

type Bytes = Uint8Array<ArrayBuffer>;

interface Coding {
  readonly name: "br" | "gzip";
  whole(bytes: Bytes): Promise<Uint8Array>;
  /** Each chunk can be read as soon as it has arrived. */
  stream(): Transform;
}

const codings: readonly Coding[] = [
  {
    name: "br",
    whole: (bytes) => promisify(brotliCompress)(bytes, { params: brotliQuality }),
    stream: () =>
      createBrotliCompress({
        params: brotliQuality,
        flush: constants.BROTLI_OPERATION_FLUSH,
      }),
  },
  {
    name: "gzip",
    whole: (bytes) => promisify(gzip)(bytes),
    stream: () => createGzip({ flush: constants.Z_SYNC_FLUSH }),
  },
];

/** What a client takes, by its `Accept-Encoding`; undefined: the bytes as they are. */
function chooseCoding(accepted: string | null): Coding | undefined {
  if (accepted === null) return undefined;
  const qualities = new Map(
    accepted.toLowerCase().split(",", 32).map((part) => {
      const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
      const q = parameters.find((text) => text.startsWith("q="))?.slice(2);
      return [name, q === undefined ? 1 : Number(q) || 0] as const;
    }),
  );
  const quality = ({ name }: Coding) => qualities.get(name) ?? qualities.get("*") ?? 0;
  const [first, second] = codings;
  const best = quality(second!) > quality(first!) ? second! : first!; // there are two
  return quality(best) > 0 ? best : undefined;
}

/** Types whose bytes are text; pictures, archives and the like are compressed already. */
function isCompressible(contentType: string): boolean {
  return /^(?:text\/|application\/(?:json|xml|javascript|x-www-form-urlencoded|wasm)\b)/i
    .test(contentType) || /^[\w.-]+\/[\w.-]+\+(?:json|xml|text)\b/i.test(contentType);
}

/** `compress: true`: good answers are compressed for clients that take it. */
export class CompressedEndpoint implements HttpEndpoint {
  readonly #inner: HttpEndpoint;

  constructor(inner: HttpEndpoint) {
    this.#inner = inner;
  }

  async answer(exchange: Exchange): Promise<Response> {
    const response = await this.#inner.answer(exchange);
    // It is kept as it is, for whoever asks again.
    if (exchange.once !== undefined) return response;
    const { status, body } = response;
    const headers = new Headers(response.headers);
    const isOpen = !headers.has("content-encoding") &&
      !/\bno-transform\b/i.test(headers.get("cache-control") ?? "");
    const isText = isCompressible(headers.get("content-type") ?? "");
    if (status === 304) headers.append("Vary", "Accept-Encoding");
    if (status === 304) return new Response(null, { status, headers });
    if (!isOpen || !isText || status < 200 || status > 299 || status === 206) return response;
    headers.append("Vary", "Accept-Encoding");
    const coding = chooseCoding(exchange.headers.get("accept-encoding"));
    if (coding === undefined) return new Response(body, { status, headers });
    if (exchange.isStreaming) {
      const length = headers.get("content-length");
      if (length !== null && Number(length) < bytesMin) {
        return new Response(body, { status, headers });
      }
      markCoded(headers, coding);
      return new Response(body && compressStream(body, coding), { status, headers });
    }
    const bytes = await response.bytes();
    if (bytes.length < bytesMin) return new Response(bytes, { status, headers });
    markCoded(headers, coding);
    // zlib makes memory of its own, which no other thread shares.
    const coded = await coding.whole(bytes) as Bytes;
    return new Response(coded, { status, headers });
  }
}

/** Other bytes than those that a strong tag, a length and ranges are about. */
function markCoded(headers: Headers, { name }: Coding): void {
  headers.set("Content-Encoding", name);
  headers.delete("content-length");
  headers.delete("accept-ranges");
  const etag = headers.get("etag");
  if (etag?.startsWith('"')) headers.set("ETag", `W/${etag}`);
}

function compressStream(body: ReadableStream<Bytes>, coding: Coding): ReadableStream<Bytes> {
  const compressor = coding.stream();
  // A failure, and a client that leaves, pass through in both directions.
  const coded = pipeline(Readable.from(body, { objectMode: true }), compressor, () => {});
  return toByteStream(coded);
}
