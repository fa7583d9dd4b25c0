/** Bytes from `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Ranges of one request. */
const rangesMax = 16;

/**
 * Reads a `Range` header. Undefined: send everything (no header, another unit, or so many ranges
 * that it is no less). "unsatisfiable": 416.
 */
export function parseRanges(
  header: string | null,
  size: number,
): readonly ByteRange[] | "unsatisfiable" | undefined {
  const specifier = header === null ? undefined : /^\s*bytes\s*=(.*)$/i.exec(header)?.[1];
  if (specifier === undefined) return undefined;
  const parts = specifier.split(",");
  if (parts.length > rangesMax) return undefined;
  const ranges: ByteRange[] = [];
  for (const part of parts) {
    const range = parseRange(part.trim(), size);
    if (range === "malformed") return "unsatisfiable";
    if (range !== undefined) ranges.push(range);
  }
  if (ranges.length === 0) return "unsatisfiable";
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  return ranges.length > 1 && total > size ? undefined : ranges;
}

function parseRange(text: string, size: number): ByteRange | "malformed" | undefined {
  const [, first, last] = /^(\d{0,15})-(\d{0,15})$/.exec(text) ?? [];
  if (first === undefined || last === undefined || first + last === "") return "malformed";
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? undefined : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return "malformed";
  if (start >= size) return undefined;
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}
