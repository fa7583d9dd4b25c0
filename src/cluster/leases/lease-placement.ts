/**
 * The server that a lease should be on: the highest of a hash of lease and server, so that leases
 * spread evenly, every server comes to the same answer, and a server that comes or goes moves only
 * its own share. Undefined when there are no servers.
 */
export function preferredServer(lease: string, servers: Iterable<string>): string | undefined {
  let best: string | undefined;
  let highest = -1;
  for (const server of servers) {
    const weight = hash(`${lease}\n${server}`);
    if (weight < highest || (weight === highest && server > best!)) continue;
    best = server;
    highest = weight;
  }
  return best;
}

// FNV-1a, and the finish of MurmurHash3: names that differ in one digit must not hash alike.
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
