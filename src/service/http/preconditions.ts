import { PlatformError } from "../../errors/platform-error.ts";

/** What tells one state of a resource from another. */
export interface Validators {
  /** With its quotes, and `W/` where equal tags do not mean equal bytes: `"7"`, `W/"7"`. */
  readonly etag?: string | undefined;
  readonly lastModified?: Date | undefined;
}

interface ConditionalRequest {
  readonly method: string;
  readonly headers: Headers;
}

/**
 * What the conditions of a request (RFC 9110, 13.2.2) come to: 412 when it must not be carried out,
 * 304 when the client has the current state already, 0 when it goes on.
 */
export function evaluatePreconditions(
  { method, headers }: ConditionalRequest,
  { etag, lastModified }: Validators,
): 0 | 304 | 412 {
  const isRead = method === "GET" || method === "HEAD";
  const ifMatch = headers.get("if-match");
  const ifUnmodifiedSince = headers.get("if-unmodified-since");
  if (ifMatch !== null) {
    if (!matches(ifMatch, etag, { isStrong: true })) return 412;
  } else if (ifUnmodifiedSince !== null && isAfter(lastModified, ifUnmodifiedSince)) return 412;
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) {
    if (matches(ifNoneMatch, etag, { isStrong: false })) return isRead ? 304 : 412;
  } else if (isRead) {
    const since = headers.get("if-modified-since");
    if (since !== null && isAfter(lastModified, since) === false) return 304;
  }
  return 0;
}

/**
 * For services that change things: holds a request to its `If-Match` and `If-Unmodified-Since`
 * before anything is changed. Throws REQUEST_PRECONDITION (412), which the client gets to see.
 */
export function requirePreconditions(request: ConditionalRequest, current: Validators): void {
  if (evaluatePreconditions(request, current) === 412) {
    throw new PlatformError("REQUEST_PRECONDITION");
  }
}

function matches(
  header: string,
  etag: string | undefined,
  { isStrong }: { readonly isStrong: boolean },
): boolean {
  if (header.trim() === "*") return true;
  if (etag === undefined || (isStrong && etag.startsWith("W/"))) return false;
  const tags: readonly string[] = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return isStrong ? tags.includes(etag) : tags.some((tag) => opaque(tag) === opaque(etag));
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}

/** Undefined when either time is not known; headers count whole seconds. */
function isAfter(lastModified: Date | undefined, header: string): boolean | undefined {
  const time = Date.parse(header);
  if (lastModified === undefined || Number.isNaN(time)) return undefined;
  return Math.floor(lastModified.getTime() / 1_000) > Math.floor(time / 1_000);
}
