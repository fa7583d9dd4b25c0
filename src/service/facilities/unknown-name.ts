import { didYouMean } from "../../lib/nearest-name.ts";

/** What an error for a name that does not exist is filled with: the name and the nearest one. */
export function unknownName(
  name: string,
  known: Iterable<string>,
): { readonly name: string; readonly hint: string } {
  return { name, hint: didYouMean(name, known) };
}
