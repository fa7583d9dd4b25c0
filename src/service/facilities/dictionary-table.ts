import { PlatformError } from "../../errors/platform-error.ts";
import type { Dictionaries } from "../dictionaries.ts";
import type { DictionarySpec } from "../kinds/dictionary.ts";
import { unknownName } from "./unknown-name.ts";

type Entry = DictionarySpec["entries"][number];

/** One dictionary: from a system's word to all words of the same thing. */
export type DictionaryIndex = ReadonlyMap<string, ReadonlyMap<string, Entry>>;

/** Made once for each revision of a dictionary. */
export function indexDictionary({ entries }: Pick<DictionarySpec, "entries">): DictionaryIndex {
  const systems = new Map<string, Map<string, Entry>>();
  for (const entry of entries) {
    for (const [system, word] of Object.entries(entry)) {
      const words = systems.get(system) ?? new Map<string, Entry>();
      systems.set(system, words.set(word, entry));
    }
  }
  return systems;
}

/** Dictionaries by name. */
export function createDictionaries(
  indexes: ReadonlyMap<string, DictionaryIndex>,
): Dictionaries {
  return {
    translate(dictionary, { from, to, value }) {
      const index = indexes.get(dictionary);
      if (index === undefined) {
        throw new PlatformError("DICTIONARY_UNKNOWN", unknownName(dictionary, indexes.keys()));
      }
      const entry = index.get(from)?.get(value);
      // A system may be called like something that every object has.
      return entry !== undefined && Object.hasOwn(entry, to) ? entry[to] : undefined;
    },
  };
}
