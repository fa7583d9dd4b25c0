import { type Format, UnwritableError } from "./format.ts";
import { decodeUtf8 } from "./media-type.ts";

/** Plain text in UTF-8: the whole body is one text. */
export const textFormat: Format = {
  name: "text",
  contentType: "text/plain; charset=utf-8",
  takes: (essence) => essence.startsWith("text/"),
  reader: () => decodeUtf8,
  writer: () => (value) => {
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    if (typeof value === "bigint") return String(value);
    throw new UnwritableError("", `It is not a text but a ${typeof value}`);
  },
};
