import { createHash } from "node:crypto";
import { PlatformError } from "../../errors/platform-error.ts";
import { evaluatePreconditions } from "../../service/http/preconditions.ts";
import type { Exchange } from "../exchange.ts";
import type { HttpEndpoint } from "../route.ts";

/**
 * Holds a good answer to GET and HEAD against the request's conditions: 304 without a body when
 * the client has it already. Throws REQUEST_PRECONDITION.
 */
export function answerConditionally({ web, headers }: Exchange, response: Response): Response {
  if (response.status !== 200 || (web.method !== "GET" && web.method !== "HEAD")) return response;
  const etag = response.headers.get("etag") ?? undefined;
  const modified = response.headers.get("last-modified");
  if (etag === undefined && modified === null) return response;
  const lastModified = modified === null ? undefined : new Date(modified);
  const status = evaluatePreconditions({ method: web.method, headers }, { etag, lastModified });
  if (status === 0) return response;
  void response.body?.cancel();
  if (status === 412) throw new PlatformError("REQUEST_PRECONDITION");
  const kept = new Headers(response.headers);
  for (const name of ["content-type", "content-length", "content-encoding"]) kept.delete(name);
  return new Response(null, { status: 304, headers: kept });
}

/** A tag that is equal for equal bytes; weak, because compression may change the bytes. */
function contentTag(bytes: Uint8Array): string {
  return `W/"${createHash("sha1").update(bytes).digest("base64url")}"`;
}

/** `etag: true`: gives answers to GET and HEAD a tag made of their content, and 304 for it. */
export class TaggedEndpoint implements HttpEndpoint {
  readonly #inner: HttpEndpoint;

  constructor(inner: HttpEndpoint) {
    this.#inner = inner;
  }

  async answer(exchange: Exchange): Promise<Response> {
    const response = await this.#inner.answer(exchange);
    const { method } = exchange.web;
    const isRead = method === "GET" || method === "HEAD";
    if (!isRead || response.status !== 200 || exchange.isStreaming) return response;
    // Its own tag has been held against the conditions already.
    if (response.headers.has("etag")) return response;
    const bytes = await response.bytes();
    const headers = new Headers(response.headers);
    headers.set("ETag", contentTag(bytes));
    return answerConditionally(exchange, new Response(bytes, { status: 200, headers }));
  }
}
