import type { KeptAnswer, KeyClaim, KeyProof, KeyStanding } from "../../odb/idempotency-types.ts";

/** A claim that waits while another request with the key is being executed. */
export interface PatientClaim extends KeyClaim {
  /** Longest wait. */
  readonly waitMs: number;
}

/** Where the idempotency keys of the whole cluster are kept: in the ODB. */
export interface KeyLedger {
  /**
   * What becomes of the request; `running` when its time is over, or too many wait already. Rejects
   * when the ODB cannot be asked; then the request must not be executed.
   */
  claim(claim: PatientClaim): Promise<KeyStanding>;
  /** Keeps the answer; resolves when it is on disk, or rejects. */
  settle(settlement: KeyProof & { readonly answer: KeptAnswer }): Promise<void>;
  /** Gives the key back: the request was not executed. */
  release(proof: KeyProof): Promise<void>;
}

/** What a channel says of idempotency keys. */
export interface KeyPolicy {
  /** Requests that may change something are refused without a key. */
  readonly required: boolean;
  /** Execute a request again where nobody can know whether it was executed. */
  readonly repeatUnknown: boolean;
}
