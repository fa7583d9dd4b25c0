import { PlatformError } from "../errors/platform-error.ts";
import { type Format, UnwritableError } from "./format.ts";
import { decodeUtf8 } from "./media-type.ts";
import { requirePlain } from "./plain-value.ts";
import { refusePrototypeKeys } from "./prototype-keys.ts";

/** JSON, RFC 8259, and all types that end in `+json`. */
export const jsonFormat: Format = {
  name: "json",
  contentType: "application/json",
  takes: (essence) => essence === "application/json" || essence.endsWith("+json"),
  reader: () => (bytes, type) => parseJson(decodeUtf8(bytes, type)),
  writer: () => writeJson,
};

/** Reads JSON text. Throws REQUEST_MALFORMED. */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw notJson(error);
  }
  refusePrototypeKeys(value);
  return value;
}

/**
 * Reads the body of a request as JSON by the engine's own short way, which decodes leniently.
 * `bytes`: its length. Rejects with REQUEST_MALFORMED, and with what reading it rejects with.
 */
export async function readJson(
  source: { json(): Promise<unknown> },
  bytes: number,
): Promise<unknown> {
  let value: unknown;
  try {
    value = await source.json();
  } catch (error) {
    throw error instanceof SyntaxError ? notJson(error) : error;
  }
  // A replacement was sent, or stands for one byte that is not UTF-8: then what came was shorter.
  if (refusePrototypeKeys(value) && Buffer.byteLength(JSON.stringify(value)) > bytes) {
    throw new PlatformError("REQUEST_MALFORMED", { reason: "The body is not UTF-8" });
  }
  return value;
}

/** The error for text that is not JSON; it quotes a few characters of it at most. */
export function notJson(error: unknown): PlatformError {
  const why = error instanceof Error ? error.message : "";
  return new PlatformError("REQUEST_MALFORMED", { reason: `The body is not JSON: ${why}` }, {
    cause: error,
  });
}

/** Writes a plain value. Throws an UnwritableError. */
export function writeJson(value: unknown): string {
  requirePlain(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new UnwritableError("", error instanceof Error ? error.message : String(error));
  }
  if (text === undefined) throw new UnwritableError("", "It has no value in JSON");
  return text;
}
