import type { XsdComplex } from "./model.ts";
import type { SchemaSet } from "./schema-set.ts";

/** Which types are made of which, for `xsi:type`. */
export class TypeFamily {
  readonly #byName: ReadonlyMap<string, readonly XsdComplex[]>;

  constructor(set: SchemaSet) {
    this.#byName = Map.groupBy(set.complexTypes(), ({ id }) => id?.name ?? "");
  }

  /** A type with this local name. */
  named(name: string): XsdComplex | undefined {
    return this.#byName.get(name)?.[0];
  }

  /** The type of this local name, when it is made of `base`; undefined for `base` itself. */
  derived(base: XsdComplex, name: string): XsdComplex | undefined {
    return this.#byName.get(name)?.find((type) => type !== base && isMadeOf(type, base));
  }

  /** All that are made of it. */
  descendants(base: XsdComplex): readonly XsdComplex[] {
    return [...this.#byName.values()].flat().filter((type) =>
      type !== base && isMadeOf(type, base)
    );
  }
}

function isMadeOf(type: XsdComplex, base: XsdComplex): boolean {
  for (let one: XsdComplex | undefined = type; one !== undefined; one = one.content.base) {
    if (one === base) return true;
  }
  return false;
}
