import { timingSafeEqual } from "node:crypto";

/** The header with which a balancer of the cluster proves who it is; in lower case. */
export const hopHeader = "x-dragoman-hop";

/** What that header says for a key. */
export function renderHop(key: string): string {
  return `v1-${key}`;
}

/**
 * Whose word for a client's address, scheme and certificate is taken: balancers that know one of
 * the cluster's hop keys, and foreign proxies by their addresses.
 */
export class Forwarders {
  readonly #proxies: ReadonlySet<string>;
  #hops: readonly Buffer[] = [];

  constructor(proxies: readonly string[]) {
    this.#proxies = new Set(proxies);
  }

  /** From now on these are the keys, whatever they were before. */
  useKeys(keys: readonly string[]): void {
    this.#hops = keys.map((key) => Buffer.from(renderHop(key)));
  }

  /** Whether whoever sent these headers from `peer` may speak for a client. */
  believes(headers: Headers, peer: string): boolean {
    const shown = headers.get(hopHeader);
    return (shown !== null && this.#isHop(shown)) || this.#proxies.has(peer);
  }

  isProxy(address: string): boolean {
    return this.#proxies.has(address);
  }

  #isHop(text: string): boolean {
    const shown = Buffer.from(text);
    // Every key is compared: how long it takes says nothing of which one was nearly right.
    return this.#hops.map((hop) => hop.length === shown.length && timingSafeEqual(hop, shown))
      .includes(true);
  }
}

/** The headers without the proof, which is nothing for services; the same object if it has none. */
export function withoutHop(headers: Headers): Headers {
  if (!headers.has(hopHeader)) return headers;
  const shown = new Headers(headers);
  shown.delete(hopHeader);
  return shown;
}
