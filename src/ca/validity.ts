import type { Validity } from "./certificates.ts";

const dayMs = 86_400_000;
/** Certificates begin a little in the past, for machines whose clocks lag behind. */
const clockSkewMs = 5 * 60_000;

/** `days` from now, beginning five minutes ago, and never beyond `limit`. */
export function validityFor(days: number, limit?: Date, now = Date.now()): Validity {
  const end = now + days * dayMs;
  const notAfter = limit === undefined ? end : Math.min(end, limit.getTime());
  return { notBefore: wholeSeconds(now - clockSkewMs), notAfter: wholeSeconds(notAfter) };
}

/** A certificate that ends within this time should be renewed. */
export const expiringMs: number = 30 * dayMs;

function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1_000) * 1_000);
}
