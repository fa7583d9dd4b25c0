import library from "js-md4";

// The package's own types describe neither that it is a function nor what that takes.
const digest = library as unknown as { array(bytes: Uint8Array): number[] };

/** MD4, which the runtime's own cryptography has not any more. */
export function md4(bytes: Uint8Array): Buffer {
  return Buffer.from(digest.array(bytes));
}
