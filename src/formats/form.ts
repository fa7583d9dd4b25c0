import { type Format, UnwritableError } from "./format.ts";
import { compileFieldReader } from "./form-fields.ts";
import { decodeUtf8 } from "./media-type.ts";
import { requirePlain } from "./plain-value.ts";
import { refusePrototypeKeys } from "./prototype-keys.ts";

/** Urlencoded forms. Multipart forms are read while they arrive: see multipart-form.ts. */
export const formFormat: Format = {
  name: "form",
  contentType: "application/x-www-form-urlencoded",
  takes: (essence) => essence === "application/x-www-form-urlencoded",
  reader(schema) {
    const reader = compileFieldReader(schema);
    return (bytes, type) => {
      const fields = reader.read(new URLSearchParams(decodeUtf8(bytes, type)));
      refusePrototypeKeys(fields);
      return fields;
    };
  },
  writer: () => (value) => {
    requirePlain(value);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new UnwritableError("", "A form is made of an object");
    }
    const fields = new URLSearchParams();
    for (const [name, inner] of Object.entries(value)) append(fields, name, inner);
    return fields.toString();
  },
};

/** Writes what `FieldReader` reads back. */
function append(fields: URLSearchParams, name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  if (typeof value !== "object") return fields.append(name, String(value));
  if (value instanceof Date) return fields.append(name, value.toISOString());
  for (const [key, inner] of Object.entries(value)) append(fields, `${name}[${key}]`, inner);
}
