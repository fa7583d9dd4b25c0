/** The header in which a caller says for how many milliseconds it is going to wait. */
export const timeoutHeader = "X-Dragoman-Timeout-Ms";

/**
 * How long the sender of these headers waits for the answer, in milliseconds; Infinity when they do
 * not say so in decimal digits. Anybody may say it: it only ever makes one's own time shorter.
 */
export function callerWaitMs(headers: Headers): number {
  const text = headers.get(timeoutHeader);
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : Infinity;
}
