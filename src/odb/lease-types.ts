/** One life of one server: a server that starts again is another holder. */
export interface LeaseHolder {
  readonly server: string;
  /** Unique for each start of the server. */
  readonly incarnation: string;
}

/** The right to do what only one server of a cluster may do, as long as it is renewed. */
export interface HeldLease {
  readonly name: string;
  /** Rises with every change of hands: work that carries a lower one is refused. */
  readonly epoch: number;
}

/** A lease together with who claims to hold it: what fenced writes carry. */
export interface LeaseProof extends HeldLease {
  readonly holder: LeaseHolder;
}

export interface LeaseRequest {
  readonly name: string;
  readonly holder: LeaseHolder;
  readonly ttlMs: number;
}

/**
 * `released`: given up, because the server stops or has no more use for it; `rebalanced`: handed to
 * a server that has fewer; `expired`: its holder did not renew it in time.
 */
export const leaseEnds = ["released", "rebalanced", "expired"] as const;
export type LeaseEnd = (typeof leaseEnds)[number];

export interface LeaseRow {
  readonly name: string;
  /** Who holds it, or held it last. */
  readonly server: string;
  readonly incarnation: string;
  readonly epoch: number;
  /** `expired`: not renewed in time, and nobody has taken it yet. */
  readonly state: "held" | "expired" | "free";
  readonly acquiredAt: string;
  /** By the database's clock; 0 and below when it is over. */
  readonly expiresInMs: number;
}

/** One term of one holder; `endedAt` is null while it lasts. */
export interface LeaseTerm extends HeldLease {
  readonly server: string;
  readonly incarnation: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly end: LeaseEnd | null;
}

/** Leases of the whole cluster; whether one is over is said by the database's clock alone. */
export interface LeaseStore {
  /**
   * Takes a lease that is free or expired, with the next epoch; the same holder gets the epoch it
   * has, and its time begins anew. Undefined while another holder has it.
   */
  acquireLease(request: LeaseRequest): Promise<HeldLease | undefined>;
  /** Prolongs leases that are still held; returns the names of those, in one round trip. */
  renewLeases(
    leases: readonly HeldLease[],
    options: { readonly holder: LeaseHolder; readonly ttlMs: number },
  ): Promise<readonly string[]>;
  /** Gives a lease up, so that others can take it at once. False when it was lost before. */
  releaseLease(proof: LeaseProof, end: "released" | "rebalanced"): Promise<boolean>;
  /** By name. */
  listLeases(): Promise<readonly LeaseRow[]>;
  /** Newest first; default limit 100, at most 1,000. */
  listLeaseTerms(
    query?: { readonly name?: string | undefined; readonly limit?: number | undefined },
  ): Promise<readonly LeaseTerm[]>;
}
