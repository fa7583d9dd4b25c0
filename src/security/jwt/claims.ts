/** No token has more roles; whoever signed one that has gets the first ones. */
const rolesMax = 1_000;

/**
 * A claim by its name, or by the names that lead to it, joined by dots; undefined when it is not
 * there. A name that holds dots itself, such as a URL, is found first.
 */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[name]; // it has this property
  }
  return value;
}

/** Freezes claims whole: every request with the token is given the same ones. */
export function freezeClaims<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) freezeClaims(inner);
  return value;
}

/** Roles as issuers write them: a list of texts, or one text of words (as `scope` is). */
export function rolesIn(value: unknown): readonly string[] {
  const words = typeof value === "string" ? value.split(/\s+/) : Array.isArray(value) ? value : [];
  return words.filter((word): word is string => typeof word === "string" && word !== "")
    .slice(0, rolesMax);
}
