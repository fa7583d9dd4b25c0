import { randomBytes } from "node:crypto";

// Crockford's base 32: no letters that are mistaken for digits.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** All texts of two digits, so that an id is two concatenations. */
const pairs: readonly string[] = Array.from(
  { length: 1_024 },
  (_, index) => alphabet[index >> 5]! + alphabet[index & 31]!,
);

const prefix = encodeTime(Date.now()) + encodeRandom(10);
let block = 0;
let head = "";
let next = 1_024;

/**
 * A correlation id: 26 characters that sort by process start and then by order. 10 tell when the
 * process began (ms), 10 are random (50 bits), 6 count (10^9 ids). Unique for ever, not secret.
 */
export function createCid(): string {
  if (next === 1_024) {
    head = prefix + pairs[(block >> 10) & 1_023]! + pairs[block & 1_023]!;
    block++;
    next = 0;
  }
  return head + pairs[next++]!;
}

function encodeTime(ms: number): string {
  let text = "";
  let rest = ms;
  while (text.length < 10) {
    text = alphabet[rest % 32]! + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function encodeRandom(length: number): string {
  return Array.from(randomBytes(length), (byte) => alphabet[byte & 31]!).join("");
}
