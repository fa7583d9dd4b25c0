import type { Call } from "../call.ts";
import type { Translation } from "../dictionaries.ts";
import type { NameOf } from "../register.ts";

/**
 * The `to` system's word for what the `from` system calls `value`; `fallback`, or undefined, when
 * the dictionary does not know it. Throws DICTIONARY_UNKNOWN.
 */
export interface Translate {
  (dictionary: NameOf<"dictionaries">, word: Translation): string | undefined;
  (dictionary: NameOf<"dictionaries">, word: Translation, fallback: string): string;
}

/** `ctx.translate` of one call. */
export function createTranslate(call: Call): Translate {
  const { dictionaries } = call.runtime.facilities;
  // The overloads' types are checked at the caller.
  return ((dictionary: string, word: Translation, fallback?: string) =>
    dictionaries.translate(dictionary, word) ?? fallback) as Translate;
}
