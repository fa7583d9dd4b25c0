import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import type { Schema } from "../service/schema.ts";
import { compileCoercion, isListSchema } from "./coerce.ts";
import { type Format, UnwritableError } from "./format.ts";
import { decodeUtf8, type MediaType } from "./media-type.ts";
import { requirePlain } from "./plain-value.ts";
import { forbiddenKey } from "./prototype-keys.ts";

const columnsMax = 1_000;
const recordsMax = 100_000;
const recordCharactersMax = 1_000_000;

/**
 * CSV, RFC 4180: a header row, then records, which become a list of objects. An empty field is an
 * absent one. Writes lists of flat objects; the columns are the names in order of appearance.
 */
export const csvFormat: Format = {
  name: "csv",
  contentType: "text/csv; charset=utf-8",
  takes: (essence) => essence === "text/csv" || essence === "application/csv",
  reader(schema: Schema | undefined) {
    const coerce = isListSchema(schema) ? compileCoercion(schema) : (value: unknown) => value;
    return (bytes, type) => coerce(readRecords(bytes, type));
  },
  writer: () => writeRecords,
};

function readRecords(bytes: Uint8Array, type: MediaType): readonly Record<string, string>[] {
  const text = decodeUtf8(bytes, type);
  let rows: readonly (readonly string[])[];
  try {
    rows = parse(text, {
      bom: true,
      to: recordsMax + 2,
      max_record_size: recordCharactersMax,
      skip_empty_lines: true,
    });
  } catch (error) {
    throw malformed(`The body is not CSV: ${reasonOf(error)}`, error);
  }
  const [header = [], ...records] = rows;
  if (records.length > recordsMax) throw malformed(`There are over ${recordsMax} records`);
  checkHeader(header);
  return records.map((record) =>
    Object.fromEntries(
      record.map((field, index) => [header[index]!, field] as const)
        .filter(([, field]) => field !== ""),
    )
  );
}

function checkHeader(header: readonly string[]): void {
  if (header.length > columnsMax) throw malformed(`There are over ${columnsMax} columns`);
  const names = new Set<string>();
  for (const name of header) {
    if (name === "") throw malformed("A column has no name");
    if (name === "__proto__") throw forbiddenKey(name);
    if (names.has(name)) throw malformed(`The column "${name.slice(0, 100)}" is there twice`);
    names.add(name);
  }
}

function writeRecords(value: unknown): string {
  requirePlain(value);
  if (!Array.isArray(value)) throw new UnwritableError("", "CSV is made of a list of objects");
  const columns = new Set<string>();
  for (const [index, record] of value.entries()) {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      throw new UnwritableError(`/${index}`, "A record of CSV is an object");
    }
    for (const [name, field] of Object.entries(record)) {
      if (typeof field === "object" && field !== null && !(field instanceof Date)) {
        throw new UnwritableError(`/${index}/${name}`, "A field of CSV is not a list or an object");
      }
      columns.add(name);
    }
  }
  return stringify(value, {
    header: true,
    columns: [...columns],
    record_delimiter: "windows",
    cast: { boolean: String, date: (date) => date.toISOString() },
  });
}

function malformed(reason: string, cause?: unknown): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason }, { cause });
}
