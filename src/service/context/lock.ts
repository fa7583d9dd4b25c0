import { PlatformError } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Call } from "../call.ts";

export interface LockTimes {
  /** Given up when its holder falls silent for this long; it is renewed meanwhile. Default 30,000. */
  readonly ttlMs?: number;
  /** Longest wait for it, never beyond the call's deadline; 0: try once. Default 10,000. */
  readonly waitMs?: number;
}

/** A lock that is held. */
export interface Lock {
  /** Rises with every holder: hand it to what the lock protects, to refuse holders that slept. */
  readonly token: number;
  /** Aborted when the lock was lost, and with the call's own signal. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` while nobody else in the cluster holds the lock of this name, and resolves to what
 * it returns. Rejects with LOCK_BUSY when it was not free in time, LOCK_LOST when it was lost
 * before `work` ended, LOCK_INVALID, and ODB_UNREACHABLE.
 */
export interface WithLock {
  <T>(name: string, times: LockTimes, work: (lock: Lock) => T | Promise<T>): Promise<T>;
  <T>(name: string, work: (lock: Lock) => T | Promise<T>): Promise<T>;
}

/** Longest name, in characters; the ODB keeps it. */
const nameMax = 200;

/** Longest `ttlMs`: a lock whose holder died is nobody's for as long. */
const ttlMsMax = 86_400_000;

type Work = (lock: Lock) => unknown;

/** `ctx.lock` of one call. */
export function createLock(call: Call, log: Logger): WithLock {
  // The overloads' types are checked at the caller.
  return ((name: string, times: LockTimes | Work, work?: Work) =>
    typeof times === "function"
      ? withLock(call, log, { name, work: times })
      : withLock(call, log, { name, work: work!, ...times })) as WithLock;
}

async function withLock(
  call: Call,
  log: Logger,
  { name, work, ttlMs = 30_000, waitMs = 10_000 }: LockTimes & {
    readonly name: string;
    readonly work: Work;
  },
): Promise<unknown> {
  const mistake = mistakeOf({ name, work, ttlMs, waitMs });
  if (mistake !== undefined) throw new PlatformError("LOCK_INVALID", { reason: mistake });
  const waits = Math.max(0, Math.min(waitMs, Math.floor(call.remaining())));
  const { signal } = call;
  const { durable } = call.runtime.facilities;
  const lock = await durable.acquireLock(name, { ttlMs, waitMs: waits, signal });
  if (lock === undefined) throw new PlatformError("LOCK_BUSY", { name, waitMs: waits });
  try {
    const { token } = lock;
    const output = await work({ token, signal: AbortSignal.any([lock.signal, signal]) });
    if (lock.signal.aborted) throw new PlatformError("LOCK_LOST", { name });
    return output;
  } finally {
    // It runs out by itself: what was done under it stands.
    await lock.release().catch((error) => log.warn("Lock not released", { lock: name, error }));
  }
}

/** What the types say, for callers that no compiler looked at; undefined when all is well. */
function mistakeOf(
  { name, work, ttlMs, waitMs }: {
    readonly name: unknown;
    readonly work: unknown;
    readonly ttlMs: unknown;
    readonly waitMs: unknown;
  },
): string | undefined {
  if (typeof name !== "string" || name === "" || name.length > nameMax) {
    return `its name is not a text of 1 to ${nameMax} characters`;
  }
  if (typeof work !== "function") return "there is no work to do while it is held";
  if (!(typeof ttlMs === "number" && ttlMs >= 1 && ttlMs <= ttlMsMax)) {
    return `ttlMs is ${String(ttlMs)}, not a number from 1 to ${ttlMsMax}`;
  }
  if (typeof waitMs === "number" && waitMs >= 0) return undefined;
  return `waitMs is ${String(waitMs)}, not a number from 0`;
}
