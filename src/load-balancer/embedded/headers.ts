import { hopHeader, renderHop } from "../../http/forwarders.ts";

/** Header fields as they stand on the wire: name, value, name, value. */
export type RawHeaders = readonly string[];

/** Fields that speak of one connection only (RFC 9110, 7.6.1) and never travel further. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Fields that a client may not have dropped by naming them in Connection: they say whose request
 * it is and where it ends.
 */
const protectedFields = new Set(["host", "content-length", "authorization", "cookie"]);

/** Fields that only the balancer may set, or that it has dealt with itself. */
const claims = new Set([
  "client-cert",
  "client-cert-chain",
  "expect",
  "forwarded",
  "x-real-ip",
  hopHeader,
]);

export interface ForwardingFacts {
  /** The client's address as the balancer sees it. */
  readonly clientAddress: string;
  readonly method: string;
  readonly scheme: "http" | "https";
  /** The certificate that the client has shown, as RFC 9440 writes it. */
  readonly clientCertificate?: string | undefined;
  /** Proves to servers that this comes from the balancer. */
  readonly hopKey?: string | undefined;
  /** Host for requests of HTTP/1.0, which may come without. */
  readonly defaultHost: string;
  /** The protocol to ask the server to switch to, such as `websocket`. */
  readonly upgrade?: string;
}

/**
 * The fields that go to a server: hop-by-hop ones and everything that claims where the request, or
 * the client's certificate, came from removed, X-Forwarded-For, -Proto and -Host set from what the balancer itself knows.
 */
export function forwardedHeaders(raw: RawHeaders, facts: ForwardingFacts): string[] {
  const kept = endToEnd(raw, (name) => claims.has(name) || name.startsWith("x-forwarded-"));
  const host = headerValues(raw, "host")[0];
  if (host === undefined) kept.push("Host", facts.defaultHost);
  kept.push("X-Forwarded-For", facts.clientAddress, "X-Forwarded-Proto", facts.scheme);
  if (host !== undefined) kept.push("X-Forwarded-Host", host);
  if (facts.clientCertificate !== undefined) kept.push("Client-Cert", facts.clientCertificate);
  if (facts.hopKey !== undefined) kept.push(hopHeader, renderHop(facts.hopKey));
  if (isChunked(raw)) kept.push("Transfer-Encoding", "chunked");
  else if (mayCarryBody(facts.method) && headerValues(raw, "content-length").length === 0) {
    // Said outright, or the client library would frame the empty body as chunks.
    kept.push("Content-Length", "0");
  }
  if (facts.upgrade !== undefined) kept.push("Connection", "Upgrade", "Upgrade", facts.upgrade);
  return kept;
}

/** The fields of a server's answer that go to the client. */
export function relayedHeaders(raw: RawHeaders): string[] {
  return endToEnd(raw, () => false);
}

/** All values of a field; `name` in lower case. */
export function headerValues(raw: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.toLowerCase() === name) values.push(raw[i + 1]!);
  }
  return values;
}

/** The comma-separated members of a field, in lower case. */
export function headerTokens(raw: RawHeaders, name: string): string[] {
  return headerValues(raw, name)
    .flatMap((value) => value.split(","))
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== "");
}

/** True when the body comes in chunks. */
export function isChunked(raw: RawHeaders): boolean {
  return headerValues(raw, "transfer-encoding").length > 0;
}

/** True when a request with these fields has a body. */
export function hasBody(raw: RawHeaders): boolean {
  return isChunked(raw) || headerValues(raw, "content-length").some((length) => Number(length) > 0);
}

function mayCarryBody(method: string): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH";
}

function endToEnd(raw: RawHeaders, isUnwanted: (name: string) => boolean): string[] {
  const named = new Set(headerTokens(raw, "connection"));
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const dropped = hopByHop.has(name) || (named.has(name) && !protectedFields.has(name));
    if (!dropped && !isUnwanted(name)) kept.push(raw[i]!, raw[i + 1]!);
  }
  return kept;
}
