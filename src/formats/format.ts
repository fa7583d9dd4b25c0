import type { Schema } from "../service/schema.ts";
import type { MediaType } from "./media-type.ts";

/** Data formats that channels can speak. */
export const formatNames = ["json", "xml", "form", "csv", "text", "binary"] as const;

export type FormatName = typeof formatNames[number];

/**
 * A data format: bytes to values and back, guided by a service's schema. Whoever implements one
 * walks the schema in `reader` and `writer`, once for each schema, and returns closures that are
 * called for every body; a schema that is not zod's is `unknown` to all formats.
 */
export interface Format {
  readonly name: FormatName;
  /** The `Content-Type` of what `writer` makes. */
  readonly contentType: string;
  /** Whether bodies of this type are read by it; lower case, without parameters. */
  takes(essence: string): boolean;
  /** Prepares reading inputs of a service. Does not throw. */
  reader(schema: Schema | undefined): FormatReader;
  /** Prepares writing outputs of a service. Does not throw. */
  writer(schema: Schema | undefined): FormatWriter;
}

/**
 * Reads one whole body, whose size is within the channel's limit. Texts are turned into the types
 * that the schema declares; one that does not fit stays text, so that validation names the field.
 * Throws REQUEST_MALFORMED for bytes that are not of the format, for keys that reach prototypes
 * (`__proto__`), and for what nests too deep or has too many parts; REQUEST_CONTENT_TYPE for a
 * charset that it does not know.
 */
export type FormatReader = (bytes: Uint8Array, type: MediaType) => unknown;

/**
 * Writes one output that its schema has accepted; `undefined` never comes here. Throws an
 * UnwritableError for a value that the format has no words for.
 */
export type FormatWriter = (value: unknown) => string | Uint8Array<ArrayBuffer>;

/** An output that cannot be written in a format. Becomes an answer of 500 that tells nothing. */
export class UnwritableError extends Error {
  override readonly name = "UnwritableError";
  /** JSON Pointer to the field, for the log; empty for the whole value. */
  readonly pointer: string;

  constructor(pointer: string, reason: string) {
    super(reason);
    this.pointer = pointer;
  }
}
