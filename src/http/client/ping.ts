import { reasonOf } from "../../errors/platform-error.ts";
import { createCid } from "../cid.ts";
import type { Address } from "./addresses.ts";
import type { SendCall } from "./sender-options.ts";

export interface PingReport {
  /** Of the slowest address that works. */
  readonly durationMs: number;
  readonly detail: string;
}

/** The call behind a ping, which no service makes. */
export function createPingCall(signal: AbortSignal): SendCall {
  return {
    signal,
    remaining: () => Infinity,
    request: { cid: createCid(), traceparent: undefined },
  };
}

/** False for statuses that say that calls will fail: the other side's faults, and no admittance. */
export function isWorking(status: number): boolean {
  return status < 500 && status !== 401 && status !== 403 && status !== 407;
}

/**
 * Asks each address with `ask`, which resolves with a status; rejects with what is wrong with the
 * first one when none works.
 */
export async function pingAddresses(
  addresses: readonly Address[],
  ask: (address: Address) => Promise<number>,
): Promise<PingReport> {
  const startedAt = performance.now();
  let durationMs = 0;
  const answers = await Promise.allSettled(addresses.map(async (address) => {
    const status = await ask(address);
    durationMs = performance.now() - startedAt;
    return `HTTP ${status} from ${address.shown}`;
  }));
  const failed = answers.filter((answer) => answer.status === "rejected");
  if (failed.length === answers.length) throw failed[0]!.reason; // there is at least one address
  const words = answers.map((answer) =>
    answer.status === "fulfilled" ? answer.value : reasonOf(answer.reason)
  );
  return { durationMs: Math.round(durationMs * 100) / 100, detail: words.join("; ") };
}
