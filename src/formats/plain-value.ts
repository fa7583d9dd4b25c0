import { UnwritableError } from "./format.ts";

/** Deeper than this, a value refers to itself, or nobody can read it. */
const depthMax = 200;

/**
 * Holds an output to what JSON can say without changing it: texts, finite numbers, booleans, null,
 * lists, objects, and what has a `toJSON` of its own, such as dates. Members that are undefined are
 * left out. Throws an UnwritableError that names the field.
 */
export function requirePlain(value: unknown): void {
  const found = findUnplain(value, 0);
  if (found !== undefined) throw new UnwritableError(pointerOf(found.keys), found.reason);
}

interface Finding {
  readonly reason: string;
  /** From the inside out; filled while the walk returns, so that good values pay nothing. */
  readonly keys: string[];
}

function findUnplain(value: unknown, depth: number): Finding | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : finding(`${value} is not a number of JSON`);
    case "object":
      return value === null ? undefined : findInside(value, depth);
    default:
      return finding(`A ${typeof value} is not a value of JSON`);
  }
}

function findInside(object: object, depth: number): Finding | undefined {
  if (depth > depthMax) return finding("It refers to itself, or nests too deep");
  if (Array.isArray(object)) return findInList(object, depth);
  // Plain data first: that is what nearly everything is.
  if (Object.getPrototypeOf(object) !== Object.prototype) {
    if ("toJSON" in object) return findInDate(object);
    const type = opaqueType(object);
    if (type !== undefined) return finding(`A ${type} is not a value of JSON`);
  }
  for (const key in object) {
    // What is inherited is not written either; the look at it does no harm.
    const value: unknown = object[key as keyof typeof object]; // a key of it
    if (typeof value === "string") continue;
    const found = findUnplain(value, depth + 1);
    if (found === undefined || (key === "toJSON" && typeof value === "function")) continue;
    return at(found, key);
  }
  return undefined;
}

function findInList(list: readonly unknown[], depth: number): Finding | undefined {
  for (let index = 0; index < list.length; index++) {
    const found = findUnplain(list[index], depth + 1);
    if (found !== undefined) return at(found, String(index));
  }
  return undefined;
}

function findInDate(object: object): Finding | undefined {
  return object instanceof Date && Number.isNaN(object.getTime())
    ? finding("The date is not valid")
    : undefined;
}

/** What JSON.stringify would write as `{}` without a word, or as a list of numbers. */
function opaqueType(object: object): string | undefined {
  const isOpaque = object instanceof Map || object instanceof Set || object instanceof Promise ||
    object instanceof RegExp || ArrayBuffer.isView(object) || object instanceof ArrayBuffer ||
    object instanceof Blob || object instanceof Error || Symbol.asyncIterator in object;
  return isOpaque ? object.constructor.name : undefined;
}

function finding(reason: string): Finding {
  return { reason, keys: [] };
}

function at(found: Finding, key: string): Finding {
  found.keys.push(key);
  return found;
}

function pointerOf(keys: readonly string[]): string {
  return keys.toReversed()
    .map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
