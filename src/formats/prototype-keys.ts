import { PlatformError } from "../errors/platform-error.ts";

/** How deep values in a body may nest. */
const depthMax = 100;

/**
 * Refuses a decoded body with keys that reach the prototypes of whoever copies them (`__proto__`,
 * and `constructor` with a `prototype`), and one that nests deeper than 100 levels, which no
 * recursive reader after us would survive. Throws REQUEST_MALFORMED. True when a text in it has the
 * character U+FFFD, which decoders put where bytes mean nothing.
 */
export function refusePrototypeKeys(body: unknown): boolean {
  if (typeof body === "object") return body !== null && inspect(body, 1);
  return typeof body === "string" && body.includes(replacement);
}

const replacement = "\ufffd";

function inspect(object: object, depth: number): boolean {
  if (depth > depthMax) {
    const reason = `The body nests deeper than ${depthMax} levels`;
    throw new PlatformError("REQUEST_MALFORMED", { reason });
  }
  let isReplaced = false;
  if (Array.isArray(object)) {
    for (const inner of object) {
      if (isReplacedIn(inner, depth)) isReplaced = true;
    }
    return isReplaced;
  }
  refuseKeysOf(object);
  // What a parser made has no inherited enumerable keys.
  for (const key in object) {
    const inner: unknown = object[key as keyof typeof object]; // a key of its own
    if (isReplacedIn(inner, depth)) isReplaced = true;
  }
  return isReplaced;
}

function isReplacedIn(inner: unknown, depth: number): boolean {
  if (typeof inner === "string") return inner.includes(replacement);
  return typeof inner === "object" && inner !== null && inspect(inner, depth + 1);
}

function refuseKeysOf(object: object): void {
  if (Object.hasOwn(object, "__proto__")) throw forbiddenKey("__proto__");
  if (!Object.hasOwn(object, "constructor")) return;
  const { constructor } = object;
  if (typeof constructor === "object" && Object.hasOwn(constructor ?? {}, "prototype")) {
    throw forbiddenKey("constructor.prototype");
  }
}

/** The error for a key that no input may have. */
export function forbiddenKey(key: string): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason: `The input has the key "${key}"` });
}
