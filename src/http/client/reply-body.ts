import { type Readable, Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { HttpReply } from "./transport.ts";
import { TransportFailure } from "./transport-failure.ts";

/** What requests say under `Accept-Encoding`: what `decodedBody` undoes. */
export const acceptedEncodings = "gzip, deflate, br";

const decoders: Readonly<Record<string, () => Transform>> = {
  "gzip": createGunzip,
  "x-gzip": createGunzip,
  "deflate": createInflate,
  "br": createBrotliDecompress,
};

/** The body without the compression that was put on it for the way; unknown ones stay. */
export function decodedBody({ headers, body }: HttpReply): Readable {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (!Object.hasOwn(decoders, encoding)) return body;
  const decoder = decoders[encoding]!();
  body.once("error", (error) => decoder.destroy(error));
  decoder.once("close", () => body.destroy());
  return body.pipe(decoder);
}

/**
 * Reads a body of at most `limit` bytes, decompressed; undefined when it is larger. Rejects with a
 * TransportFailure when it breaks off.
 */
export function readReply(reply: HttpReply, limit: number): Promise<Uint8Array | undefined> {
  const stream = decodedBody(reply);
  const chunks: Uint8Array[] = [];
  let size = 0;
  // By its events, because iterating over a stream costs more than all the rest of a small answer.
  return new Promise((resolve, reject) => {
    const broken = (error?: unknown) =>
      reject(new TransportFailure(error ?? new Error("the answer broke off"), "sent"));
    stream.on("data", (chunk: Uint8Array) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      resolve(undefined);
      stream.destroy();
    });
    stream.on("end", () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    stream.on("error", broken);
    const ended = () => {
      if (!stream.readableEnded) broken();
    };
    stream.on("close", ended);
    if (stream.destroyed) ended();
  });
}

/** Small bodies are read and forgotten, so that their connection can be used again. */
const drainedBytesMax = 65_536;

/** Gives up a body that nobody wants to see. */
export function discardReply({ headers, body }: HttpReply): void {
  body.on("error", () => {}); // nobody waits for it
  if (Number(headers.get("content-length") ?? Infinity) <= drainedBytesMax) body.resume();
  else body.destroy();
}
