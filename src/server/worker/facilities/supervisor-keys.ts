import type { KeyLedger } from "../../../http/idempotency/key-ledger.ts";
import type { SupervisorLink } from "../supervisor-link.ts";

/** Idempotency keys, all of them asked of the supervisor. */
export function createKeyLedger(link: Pick<SupervisorLink, "request">): KeyLedger {
  return {
    claim: (claim) => link.request("claimKey", claim),
    settle: async (settlement) => void await link.request("settleKey", settlement),
    release: async (proof) => void await link.request("releaseKey", proof),
  };
}
