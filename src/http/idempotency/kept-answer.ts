import { Buffer } from "node:buffer";
import type { KeptAnswer } from "../../odb/idempotency-types.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { Exchange } from "../exchange.ts";

/** Longest body that is kept. */
const keptBytesMax = 256 * 1_024;

/** Headers that are made anew for each answer. */
const ownHeaders = new Set([
  "connection",
  "content-length",
  "date",
  "x-dragoman-cid",
  "x-dragoman-server",
]);

/** An answer to be kept, and the same to be sent. */
interface AnswerPair {
  readonly kept: KeptAnswer;
  readonly response: Response;
}

/** Takes the body out of an answer, unless it is sent while it is made. */
export async function keepAnswer(response: Response, isStreaming: boolean): Promise<AnswerPair> {
  const { status } = response;
  const headers = [...response.headers].filter(([name]) => !ownHeaders.has(name));
  if (isStreaming) return { kept: { status, headers, body: null }, response };
  // Statuses such as 204 may not even have an empty body.
  const bytes = response.body === null ? undefined : await response.bytes();
  const isKept = bytes === undefined || bytes.length <= keptBytesMax;
  const body = isKept ? Buffer.from(bytes ?? []).toString("base64") : null;
  const again = new Response(bytes ?? null, { status, headers: response.headers });
  return { kept: { status, headers, body }, response: again };
}

/** The same answer for another request. Throws REQUEST_KEY_ANSWER_LOST when it was not kept whole. */
export function renderKept(
  { status, headers, body }: KeptAnswer,
  { cid, tools }: Exchange,
): Response {
  if (body === null) throw new PlatformError("REQUEST_KEY_ANSWER_LOST", { status });
  const bytes = body === "" ? null : Buffer.from(body, "base64");
  const response = tools.answers.bytes(bytes, cid, status);
  for (const [name, value] of headers) response.headers.append(name, value);
  response.headers.set("Idempotency-Replayed", "true");
  return response;
}
