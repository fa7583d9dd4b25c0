import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Kind, NamedSpec } from "./kind.ts";

type Spec = NamedSpec["spec"];

/**
 * A validated spec as it is stored: without the fields that have their default, also inside of
 * nested objects. So a field that a later version adds is in the ODB only where somebody uses it,
 * and servers that do not know it yet go on with all others.
 */
export function withoutDefaults({ schema }: Kind, spec: Spec): Spec {
  return prune(schema, spec) as Spec; // a record in, a record out
}

/** A stored spec with the defaults of its fields; those of nested objects stay away. */
export function withDefaults({ schema }: Kind, spec: Spec): Spec {
  return { ...defaultsOf(schema), ...spec };
}

const defaults = new WeakMap<z.ZodObject, Spec>();

/** The fields that have a value where none is given. Not to be changed: they are kept. */
function defaultsOf(schema: z.ZodObject): Spec {
  const known = defaults.get(schema);
  if (known !== undefined) return known;
  const found = Object.entries(schema.shape).flatMap(([field, type]) => {
    const { data } = z.safeParse(type, undefined);
    return data === undefined ? [] : [[field, data] as const];
  });
  const made = Object.fromEntries(found);
  defaults.set(schema, made);
  return made;
}

function prune(type: unknown, value: unknown): unknown {
  const schema = unwrap(type);
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item) => prune(schema.element, item));
  }
  if (!(schema instanceof z.ZodObject) || !isRecord(value)) return value;
  const known = defaultsOf(schema);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([field, one]) => !(field in known && isDeepStrictEqual(known[field], one)))
      .map(([field, one]) => [field, prune(schema.shape[field], one)]),
  );
}

/** What an optional field, or one with a default, has when it is there. */
function unwrap(type: unknown): unknown {
  const isWrapped = type instanceof z.ZodOptional || type instanceof z.ZodDefault ||
    type instanceof z.ZodNullable || type instanceof z.ZodPrefault;
  return isWrapped ? unwrap(type.unwrap()) : type;
}

function isRecord(value: unknown): value is Spec {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
