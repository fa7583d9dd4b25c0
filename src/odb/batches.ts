/** Keys in one `in (...)` list: far below the 32,766 parameters that SQLite takes. */
const keysMax = 1_000;
const rowsMax = 500;
// A statement of MySQL must fit into `max_allowed_packet`, 16 MiB by default.
const charactersMax = 1_000_000;

/** Slices of at most 1,000 keys. */
export function* keyBatches<T>(keys: readonly T[]): Generator<T[]> {
  for (let start = 0; start < keys.length; start += keysMax) {
    yield keys.slice(start, start + keysMax);
  }
}

/**
 * Slices of rows for one `insert` each: at most 500 rows, and about a million characters of text
 * unless a single row is longer.
 */
export function* rowBatches<R extends object>(rows: readonly R[]): Generator<R[]> {
  let batch: R[] = [];
  let characters = 0;
  for (const row of rows) {
    const size = textLength(row);
    if (batch.length > 0 && (batch.length === rowsMax || characters + size > charactersMax)) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(row);
    characters += size;
  }
  if (batch.length > 0) yield batch;
}

function textLength(row: object): number {
  let length = 0;
  for (const value of Object.values(row)) if (typeof value === "string") length += value.length;
  return length;
}
