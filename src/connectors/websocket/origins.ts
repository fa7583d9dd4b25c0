import { z } from "zod";
import { PlatformError } from "../../errors/platform-error.ts";

/** An origin of web pages, `https://*.example.com` for all hosts below one, or `*` for any. */
export const originPattern = z.string().max(300).toLowerCase().regex(
  /^(\*|https?:\/\/(\*\.)?[a-z0-9._-]+(:\d{1,5})?|https?:\/\/\[[0-9a-f:]+\](:\d{1,5})?)$/,
  'An origin is a scheme, a host and a port, such as "https://shop.example.com"',
);

/**
 * Holds pages to the origins they may come from: browsers send cookies and let pages read answers
 * of WebSockets whatever their origin. Clients that are no browsers send no `Origin` and are let
 * through. Throws SOCKET_ORIGIN.
 */
export type OriginCheck = (headers: Headers) => void;

/** Without patterns: pages of the host that the handshake is for. */
export function compileOrigins(patterns: readonly string[] | undefined): OriginCheck {
  const isAllowed = patterns === undefined ? isSameHost : listed(patterns);
  return (headers) => {
    const origin = headers.get("origin");
    if (origin === null || isAllowed(origin.toLowerCase(), headers)) return;
    throw new PlatformError("SOCKET_ORIGIN");
  };
}

// Whoever ends TLS in front of us changes the scheme, but not the host.
function isSameHost(origin: string, headers: Headers): boolean {
  const page = URL.parse(origin);
  const own = page && URL.parse(`${page.protocol}//${headers.get("host") ?? ""}`);
  return own !== null && page !== null && own.host === page.host;
}

function listed(patterns: readonly string[]): (origin: string) => boolean {
  if (patterns.includes("*")) return () => true;
  const exact = new Set(patterns);
  const below = patterns.filter((pattern) => pattern.includes("://*.")).map((pattern) => {
    const [scheme, host] = pattern.split("://*") as [string, string]; // it has this form
    return { scheme: `${scheme}://`, host };
  });
  return (origin) =>
    exact.has(origin) ||
    below.some(({ scheme, host }) =>
      origin.startsWith(scheme) && origin.endsWith(host) &&
      origin.length > scheme.length + host.length
    );
}
