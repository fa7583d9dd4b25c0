/** Statuses that mean "not now": worth another attempt of what may be repeated. */
const passing = new Set([429, 502, 503, 504]);

/** True for a status that another attempt may not meet. */
export function isPassing(status: number): boolean {
  return passing.has(status);
}

/** The wait that a `Retry-After` asks for: seconds, or a date. Undefined when it says nothing. */
export function retryAfterMs(headers: Headers, now: () => number = Date.now): number | undefined {
  const text = headers.get("retry-after")?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now());
}
