import { PlatformError } from "../errors/platform-error.ts";

const lengthMax = 255;

/**
 * Throws ODB_NAME_INVALID for a text that the databases would not keep, or not compare, alike:
 * some cut or pad blanks, some refuse control characters or halves of surrogate pairs.
 */
export function requireName(what: string, name: string): void {
  const reason = nameProblem(name);
  if (reason === undefined) return;
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}...` : name);
  throw new PlatformError("ODB_NAME_INVALID", { what, name: shown, reason });
}

function nameProblem(name: string): string | undefined {
  if (name === "") return "it is empty";
  const length = [...name].length;
  if (length > lengthMax) return `it has ${length} characters, and ${lengthMax} is the limit`;
  if (name.trim() !== name) return "it begins or ends with a blank";
  if (/\p{Cc}/u.test(name)) return "it holds a control character";
  return name.isWellFormed() ? undefined : "it is not well-formed Unicode";
}

/** `a; b; c and 4 more`: long lists end after `shownMax` items, default 5. */
export function joinSome(items: readonly string[], separator: string, shownMax = 5): string {
  const shown = items.slice(0, shownMax).join(separator);
  return items.length > shownMax ? `${shown} and ${items.length - shownMax} more` : shown;
}
