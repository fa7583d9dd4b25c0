import type { LeaseHolder } from "../../odb/lease-types.ts";
import { preferredServer } from "./lease-placement.ts";
import type { LeaseTiming } from "./lease-timing.ts";

interface KnownServer {
  readonly incarnation: string;
  readonly since: number;
}

/**
 * Which leases a server takes first, and which it hands to others: what it knows of the cluster's
 * servers, by its own monotonic clock.
 */
export class LeaseBalance {
  readonly #self: string;
  readonly #timing: LeaseTiming;
  #servers = new Map<string, KnownServer>();
  readonly #handedOver = new Map<string, { readonly to: string; readonly at: number }>();
  #handedOverAt = -Infinity;

  /** `self`: the name of this server, which is up whatever others say. */
  constructor(self: string, timing: LeaseTiming) {
    this.#self = self;
    this.#timing = timing;
  }

  /** The servers that are up now. */
  note(servers: readonly LeaseHolder[], now: number): void {
    const known = new Map<string, KnownServer>();
    for (const { server, incarnation } of servers) {
      const before = this.#servers.get(server);
      known.set(server, before?.incarnation === incarnation ? before : { incarnation, since: now });
    }
    this.#servers = known;
  }

  /**
   * Whether a lease that is free is this server's to take first. `lastServer` had it last: it has
   * left, or is about to, and waiting for it would be for nothing.
   */
  isOurs(lease: string, lastServer: string | undefined): boolean {
    const servers = new Set(this.#servers.keys()).add(this.#self);
    if (lastServer !== undefined) servers.delete(lastServer);
    return servers.size === 0 || preferredServer(lease, servers) === this.#self;
  }

  /**
   * The one of these leases, all held by this server, that another should have now; it counts as
   * handed over. Only servers that have been up for a while get any, one at a time, and none twice
   * in a row: they may not want it.
   */
  handOver(leases: Iterable<string>, now: number): string | undefined {
    const { rebalanceMs, steadyMs, declinedMs } = this.#timing;
    if (now - this.#handedOverAt < rebalanceMs) return undefined;
    const steady = new Set([this.#self]);
    for (const [server, { since }] of this.#servers) {
      if (now - since >= steadyMs) steady.add(server);
    }
    if (steady.size === 1) return undefined;
    for (const lease of leases) {
      const to = preferredServer(lease, steady)!; // `steady` has at least this server
      const last = this.#handedOver.get(lease);
      const wasDeclined = last?.to === to && now - last.at < declinedMs;
      if (to === this.#self || wasDeclined) continue;
      this.#handedOverAt = now;
      this.#handedOver.set(lease, { to, at: now });
      return lease;
    }
    return undefined;
  }
}
