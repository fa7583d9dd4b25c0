/** Why a connection ends, RFC 6455 section 7.4 and its registry. */
export const closeCodes = {
  goingAway: 1001,
  policy: 1008,
  tooLarge: 1009,
  internal: 1011,
  restart: 1012,
  tryLater: 1013,
  unauthorized: 3000,
  forbidden: 3003,
} as const;

/** A reason as long as a close frame takes: 123 bytes. */
export function closeReason(text: string): string {
  let reason = text;
  while (Buffer.byteLength(reason) > 123) reason = reason.slice(0, -1);
  // Half of a pair would be no character.
  return reason.isWellFormed() ? reason : reason.slice(0, -1);
}
