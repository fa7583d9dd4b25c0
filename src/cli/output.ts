import type { TextSink } from "./io.ts";

export type OutputFormat = "table" | "json" | "yaml";

/** A table as people read it: column titles, then rows of text. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** Shown instead of a table without rows. */
  readonly empty?: string;
}

export interface Result {
  readonly value: unknown;
  /** The same for people: a table, or lines of text. */
  readonly table: Table | string;
}

/** Prints a result the way the user asked for: one JSON value, one YAML document, or a table. */
export async function printResult(
  sink: TextSink,
  format: OutputFormat,
  { value, table }: Result,
): Promise<void> {
  if (format === "json") return sink.write(JSON.stringify(value, null, 2) + "\n");
  if (format === "yaml") {
    const { stringify } = await import("yaml");
    return sink.write(stringify(value, { aliasDuplicateObjects: false }));
  }
  sink.write(typeof table === "string" ? table + "\n" : renderTable(table, sink));
}

/** Columns aligned with two spaces between them; titles bold where colour is welcome. */
export function renderTable(
  { columns, rows, empty = "Nothing found" }: Table,
  { colour }: { readonly colour: boolean },
): string {
  if (rows.length === 0) return empty + "\n";
  const cells = [
    columns.map((title) => title.toUpperCase()),
    ...rows.map((row) => row.map(String)),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]!.length)));
  const lines = cells.map((row) =>
    row.map((cell, index) => cell.padEnd(widths[index]!)).join("  ").trimEnd()
  );
  if (colour) lines[0] = paint("bold", lines[0]!);
  return lines.join("\n") + "\n";
}

/** `key: value` lines with aligned values, for one thing with many fields. */
export function renderFields(fields: readonly (readonly [string, string | number])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 1;
  return fields.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${value}`).join("\n");
}

/** A word as a shell takes it, in quotes only where it needs them. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const escapes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** Wraps text in a terminal's colour; the caller knows that the sink wants it. */
export function paint(style: keyof typeof escapes, text: string): string {
  return `\u001b[${escapes[style]}m${text}\u001b[0m`;
}

/** `3d 4h`, `2h 5m`, `41s`: the two largest units. */
export function formatDuration(seconds: number): string {
  const units = [["d", 86_400], ["h", 3_600], ["m", 60], ["s", 1]] as const;
  let rest = Math.max(0, Math.floor(seconds));
  const parts: string[] = [];
  for (const [unit, size] of units) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)}${unit}`);
    rest %= size;
  }
  return parts.slice(0, 2).join(" ") || "0s";
}
