import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";

/** Longest name that DNS allows. */
const hostLengthMax = 253;

/** True for an IP address or a host name in ASCII; nothing else can reach a configuration file. */
export function isHost(text: string): boolean {
  if (text.length > hostLengthMax) return false;
  // A zone (`fe80::1%eth0`) is free text, so it is not taken for an address.
  if (isIP(text) !== 0) return !text.includes("%");
  // The last label of a name is never all digits: `10.0.0.256` is a mistake, not a name.
  return /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.?$/i
    .test(text);
}

/** `host:port`, with brackets around IPv6 addresses. */
export function renderAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The IP address of a host, IPv4 before IPv6. Rejects when the name does not resolve. */
export async function resolveHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  const { address } = await lookup(host, { order: "ipv4first" });
  return address;
}
