import { z } from "zod";
import type { StoredObject } from "../../../catalog/kind.ts";
import { reasonOf } from "../../../errors/platform-error.ts";
import type { Failure } from "../bundle-set.ts";

/** The objects of one kind, each made into something once for each of its revisions. */
export class ParsedObjects<T> {
  readonly #kind: string;
  readonly #parse: (object: StoredObject) => T;
  #known = new Map<StoredObject, T>();
  #failures: readonly Failure[] = [];

  /** What `parse` throws is the object's failure, and no other's. */
  constructor(kind: string, parse: (object: StoredObject) => T) {
    this.#kind = kind;
    this.#parse = parse;
  }

  /** Of the last update. */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  /** What is there now, by name. `objects` may be of any kind. */
  update(objects: Iterable<StoredObject>): ReadonlyMap<string, T> {
    const known = new Map<StoredObject, T>();
    const failures: Failure[] = [];
    for (const object of objects) {
      if (object.kind !== this.#kind) continue;
      try {
        const before = this.#known.get(object);
        known.set(object, before ?? this.#parse(object));
      } catch (error) {
        failures.push({ kind: object.kind, name: object.name, error: describe(error) });
      }
    }
    this.#known = known;
    this.#failures = failures;
    return new Map([...known].map(([{ name }, made]) => [name, made]));
  }
}

function describe(error: unknown): string {
  return error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
}
