import { IndexedMap } from "../data/indexed-map.ts";
import type { Database } from "../database.ts";

export type Combination = "inter" | "union" | "diff";

/** Intersection, union, or what is in the first set only. Keys that do not exist are empty sets. */
export function combine(
  db: Database,
  keys: readonly string[],
  combination: Combination,
): ReadonlySet<string> {
  const sets = keys.map((key) => db.find(key, "set"));
  const [first, ...others] = sets;
  if (combination === "union") return new Set(sets.flatMap((set) => set?.keys() ?? []));
  const wanted = combination === "inter";
  const members = first?.keys() ?? [];
  return new Set(members.filter((member) => {
    return wanted
      ? others.every((set) => set?.has(member))
      : !others.some((set) => set?.has(member));
  }));
}

/** A set as values hold it. */
export function newSet(members: Iterable<string>): IndexedMap<true> {
  const set = new IndexedMap<true>();
  for (const member of members) set.set(member, true);
  return set;
}
