import { Buffer } from "node:buffer";

const encoder = new TextEncoder();

/**
 * The bytes of a byte string (one character a byte). Plain ASCII, which nearly everything is, is
 * one native copy; the rest is converted byte by byte.
 */
export function encodeBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  const { read, written } = encoder.encodeInto(text, bytes);
  // UTF-8 takes more than one byte for everything that is not ASCII.
  if (read === text.length && written === text.length) return bytes;
  return Buffer.from(text, "latin1");
}

/** Text of ours as a byte string: UTF-8, one character a byte. */
export function toByteText(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
