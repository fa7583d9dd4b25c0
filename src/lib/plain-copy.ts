/** Deeper than this, nobody means it; and what reads messages between processes would not survive. */
export const nestingMax = 200;

/** True when lists and objects nest deeper than `nestingMax`; of a value that JSON has read. */
export function nestsTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth >= nestingMax) return true;
  return Object.values(value).some((inner) => nestsTooDeep(inner, depth + 1));
}

/**
 * A copy of a value as JSON says it; undefined where that has no word for it. Throws when it cannot
 * be written, goes in circles, or nests too deep to be handed to another process.
 */
export function plainCopy(value: unknown): unknown {
  const text = JSON.stringify(value);
  if (text === undefined) return undefined;
  const copy: unknown = JSON.parse(text);
  if (nestsTooDeep(copy)) throw new RangeError(`It nests deeper than ${nestingMax} levels`);
  return copy;
}
