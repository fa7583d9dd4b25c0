import type { LeaseHolder } from "./lease-types.ts";

/** The right to say what became of a request with an idempotency key. */
export interface KeyProof {
  /** Channel, client and key in one: a SHA-256, hexadecimal. */
  readonly id: string;
  /** Of the request that holds the key; no two requests have the same. */
  readonly cid: string;
}

/** A request that wants to be the one of its key that is executed. */
export interface KeyClaim extends KeyProof {
  /** What equal requests have in common: a SHA-256, hexadecimal. */
  readonly fingerprint: string;
  /** Execute it again where nobody can know whether it was executed. */
  readonly repeatUnknown: boolean;
}

export interface ClaimOptions {
  /**
   * Believe that a server is gone which was not seen for 10 s; false where that may have another
   * reason, such as an ODB that was out of reach for all. Default true.
   */
  readonly judgesSilence?: boolean;
}

/** An answer as it is given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Base64; null when there was more than is kept. */
  readonly body: string | null;
}

/**
 * What becomes of a request with a key. `ours`: it is the one that is executed. `running`: another
 * one is being executed. `unknown`: another one was begun, and what ran it has gone. `reused`:
 * another request had that key.
 */
export type KeyStanding =
  | { readonly state: "ours" | "running" | "reused" }
  /** `cid`: of the request that was begun. */
  | { readonly state: "unknown"; readonly cid: string }
  | { readonly state: "done"; readonly answer: KeptAnswer };

/**
 * Idempotency keys of the whole cluster. For each key at most one request is executed: the one whose
 * claim was `ours`, which is on disk before that is said.
 */
export interface IdempotencyStore {
  /** Takes the key for a request, unless another one has it. */
  claimKey(claim: KeyClaim, holder: LeaseHolder, options?: ClaimOptions): Promise<KeyStanding>;
  /** Keeps the answer for all that come with the key. Nothing happens when the proof is not valid. */
  settleKey(proof: KeyProof, answer: KeptAnswer): Promise<void>;
  /** Gives the key back: the request was not executed. */
  releaseKey(proof: KeyProof): Promise<void>;
  /** Nobody will ever say what became of these requests. */
  loseKeys(proofs: readonly KeyProof[]): Promise<void>;
  /**
   * Forgets keys that were settled longer ago than this, and a day later those that were not;
   * returns how many. At most 1,000 a call.
   */
  pruneKeys(keepMs: number): Promise<number>;
}
