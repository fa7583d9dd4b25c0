/** The times of leases; all in milliseconds. */
export interface LeaseTiming {
  /** So long a lease lasts in the ODB after it was taken or renewed. */
  readonly ttlMs: number;
  /** How often a held lease is renewed. */
  readonly renewMs: number;
  /**
   * So much before a lease could be taken, its holder stops believing in it. Covers what the
   * clocks of holder and database drift apart in `ttlMs`, and a small step of the database's.
   */
  readonly marginMs: number;
  /** How often a server looks whether a lease that it wants is free. */
  readonly lookMs: number;
  /** The same while it has all that it wants. */
  readonly idleLookMs: number;
  /** So long a free lease is left to the server that is preferred for it. */
  readonly yieldMs: number;
  /** After so long without an answer, the ODB is asked again. */
  readonly patienceMs: number;
  /** At most one lease in so long is handed to the server that is preferred for it. */
  readonly rebalanceMs: number;
  /** Leases are handed only to servers that have been up for so long. */
  readonly steadyMs: number;
  /** A lease is not handed to the same server twice in so long: it may not want it. */
  readonly declinedMs: number;
}

/**
 * A dead holder's lease has its next holder after at most 5 s: 4 s until it is free, a look, and
 * the wait for a preferred server that is dead as well. After a clean stop it is below 1 s.
 */
export const leaseTiming: LeaseTiming = {
  ttlMs: 4_000,
  renewMs: 1_200,
  marginMs: 1_200,
  lookMs: 400,
  idleLookMs: 2_000,
  yieldMs: 400,
  patienceMs: 1_000,
  rebalanceMs: 10_000,
  steadyMs: 30_000,
  declinedMs: 300_000,
};
