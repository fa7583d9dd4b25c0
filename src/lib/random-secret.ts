import { randomBytes, randomInt } from "node:crypto";

// No 0/O, 1/l/I: people read these aloud and type them.
const alphabet = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/** A password of 4 groups of 5 readable characters (about 115 bits), such as `aB3de-...`. */
export function generatePassword(): string {
  const group = () =>
    Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return [group(), group(), group(), group()].join("-");
}

/** `byteCount` random bytes as base64url, for keys and tokens. Default 32 bytes. */
export function generateToken(byteCount = 32): string {
  return randomBytes(byteCount).toString("base64url");
}
