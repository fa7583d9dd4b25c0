import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import { nestingMax, nestsTooDeep } from "../lib/plain-copy.ts";

/** The bytes of a message; undefined when there are more than `limitBytes`. */
export async function readBytes(
  message: IncomingMessage,
  limitBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // What is too much is read to its end, but not kept: who still sends does not see an answer.
  for await (const chunk of message) {
    const bytes: Buffer = Buffer.from(chunk);
    size += bytes.length;
    if (size <= limitBytes) chunks.push(bytes);
    else chunks.length = 0;
  }
  return size > limitBytes ? undefined : Buffer.concat(chunks);
}

/** The JSON body of a request; undefined when empty. Throws MTLS_BODY_TOO_LARGE, MTLS_BODY_SYNTAX. */
export async function readJsonBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<unknown> {
  const bytes = await readBytes(request, limitBytes);
  if (bytes === undefined) throw new PlatformError("MTLS_BODY_TOO_LARGE", { limitBytes });
  if (bytes.length === 0) return undefined;
  try {
    const body = parseJson(bytes);
    if (nestsTooDeep(body)) throw new RangeError(`It nests deeper than ${nestingMax} levels`);
    return body;
  } catch (error) {
    // The engine's message quotes the text around the mistake, which may hold a secret.
    const reason = reasonOf(error).replace(/,? (\.\.\.)?".*$/s, "");
    throw new PlatformError("MTLS_BODY_SYNTAX", { reason });
  }
}

/** Throws when the bytes are not UTF-8 or not JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}
