import { type Format, UnwritableError } from "./format.ts";

/** Bytes as they come, whatever their type. */
export const binaryFormat: Format = {
  name: "binary",
  contentType: "application/octet-stream",
  takes: () => true,
  reader: () => (bytes) => bytes,
  writer: () => (value) => {
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    // Nobody shares the memory of what a service returns with another thread.
    if (value instanceof Uint8Array) return value as Uint8Array<ArrayBuffer>;
    throw new UnwritableError("", "It is not bytes (a Uint8Array or an ArrayBuffer)");
  },
};
