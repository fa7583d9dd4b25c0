import type { OdbDialect } from "../../odb/types.ts";

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
  /** How often a server looks whether a lease that it wants is free; and when it should be. */
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
 * With an ODB that is a server of its own, a dead holder's lease has its next holder within 2 s;
 * after a clean stop it is below 1 s. A holder that the ODB does not answer for 1.3 s gives up,
 * which costs a planner nothing: the ledger is filled far ahead.
 */
export const quickLeaseTiming: LeaseTiming = {
  ttlMs: 1_800,
  renewMs: 450,
  marginMs: 450,
  lookMs: 400,
  idleLookMs: 2_000,
  yieldMs: 400,
  patienceMs: 500,
  rebalanceMs: 10_000,
  steadyMs: 30_000,
  declinedMs: 300_000,
};

/** With SQLite, whose file other processes may lock for seconds: within 5 s. */
export const patientLeaseTiming: LeaseTiming = {
  ...quickLeaseTiming,
  ttlMs: 4_000,
  renewMs: 1_200,
  marginMs: 1_200,
  patienceMs: 1_000,
};

/** What suits a database. */
export function leaseTimingFor(dialect: OdbDialect): LeaseTiming {
  return dialect === "sqlite" ? patientLeaseTiming : quickLeaseTiming;
}
