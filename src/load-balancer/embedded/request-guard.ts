import type { IncomingMessage } from "node:http";
import { headerValues } from "./headers.ts";
import type { ProblemStatus } from "../problems.ts";

/** More fields than this are refused, not cut off: the parser would drop the rest in silence. */
export const headerCountMax = 128;

/** What of a request decides whether it is passed on. */
export type RequestHead = Pick<IncomingMessage, "method" | "url" | "httpVersion" | "rawHeaders">;

export type Verdict =
  /** Origin form of the target: what the server is asked for. */
  | { readonly path: string }
  | { readonly refused: ProblemStatus; readonly detail?: string };

/**
 * Refuses every request that balancer and server could understand differently. The parser has
 * already refused malformed syntax, and Content-Length beside Transfer-Encoding; this is the rest.
 */
export function judgeRequest(head: RequestHead): Verdict {
  if (head.method === "TRACE") return { refused: 405 };
  if (head.rawHeaders.length > headerCountMax * 2) return { refused: 431 };
  const path = originForm(head);
  const isClear = isVersionKnown(head) && isHostClear(head) && isFramingClear(head);
  return isClear && path !== undefined ? { path } : { refused: 400 };
}

/** HTTP/0.9 requests reach us as well: the parser takes them. */
function isVersionKnown({ httpVersion }: RequestHead): boolean {
  return httpVersion === "1.1" || httpVersion === "1.0";
}

/** RFC 9112, 3.2: exactly one Host in HTTP/1.1; HTTP/1.0 may have none. */
function isHostClear({ httpVersion, rawHeaders }: RequestHead): boolean {
  const hosts = headerValues(rawHeaders, "host");
  if (hosts.length === 0) return httpVersion === "1.0";
  return hosts.length === 1 && /^[a-z0-9._~%!$&'()*+;=:[\]-]*$/i.test(hosts[0]!);
}

function isFramingClear({ httpVersion, rawHeaders }: RequestHead): boolean {
  const codings = headerValues(rawHeaders, "transfer-encoding");
  const lengths = headerValues(rawHeaders, "content-length");
  if (codings.length > 0) {
    // A server of HTTP/1.0 need not know chunks, and any coding but `chunked` changes the body.
    return httpVersion === "1.1" && lengths.length === 0 && codings.length === 1 &&
      codings[0]!.toLowerCase() === "chunked";
  }
  return lengths.length <= 1 && lengths.every((length) => /^\d{1,15}$/.test(length));
}

/** The path of the target; undefined when there is none, or it names another host than Host does. */
function originForm({ method, url = "", rawHeaders }: RequestHead): string | undefined {
  if (url.includes("#")) return undefined;
  if (url.startsWith("/")) return url;
  if (url === "*") return method === "OPTIONS" ? url : undefined;
  const absolute = /^https?:\/\/([^/?#]+)(\/[^?]*)?(\?.*)?$/i.exec(url);
  const [host] = headerValues(rawHeaders, "host");
  if (absolute === null || host?.toLowerCase() !== absolute[1]!.toLowerCase()) return undefined;
  return (absolute[2] ?? "/") + (absolute[3] ?? "");
}
