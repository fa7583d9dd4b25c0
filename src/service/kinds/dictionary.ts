import { z } from "zod";
import { defineKind } from "../../catalog/kind.ts";

const system = z.string().min(1, "A system has a name").max(100);
const entry = z.record(system, z.string().max(10_000));

/** What different systems call the same things. */
export const dictionary = defineKind({
  kind: "Dictionary",
  group: "data",
  description: "What different systems call the same things; ctx.translate looks it up",
  schema: z.strictObject({
    entries: z.array(entry).max(100_000).superRefine(refuseDuplicates).meta({
      description: "One entry for each thing: its word in each system. A system has each word once",
      example: [{ crm: "M", erp: "male" }, { crm: "F", erp: "female" }],
    }),
    description: z.string().max(1_000).optional().meta({
      description: "What the dictionary is for, for people",
      example: "Genders, as CRM and ERP write them",
    }),
  }),
  references: [],
});

/** A Dictionary's spec, validated. */
export type DictionarySpec = z.output<typeof dictionary.schema>;

type Entry = Readonly<Record<string, string>>;

// A word that meant two things in one system could not be translated.
function refuseDuplicates(
  entries: readonly Entry[],
  context: z.core.$RefinementCtx<readonly Entry[]>,
): void {
  const seen = new Map<string, Map<string, number>>();
  for (const [index, words] of entries.entries()) {
    for (const [system, word] of Object.entries(words)) {
      const places = seen.get(system) ?? new Map<string, number>();
      seen.set(system, places);
      const first = places.get(word);
      if (first === undefined) places.set(word, index);
      else {
        context.addIssue({
          code: "custom",
          path: [index, system],
          message: `"${word}" of "${system}" stands in entry ${first} already: ` +
            JSON.stringify(entries[first]),
        });
      }
    }
  }
}
