import type { Schema } from "../service/schema.ts";
import { type Definition, definitionOf, scalarReading } from "../service/text-input.ts";

/** Turns the texts inside a value into what a schema declares at their places. */
export type Coercion = (value: unknown) => unknown;

/**
 * Prepares reading values whose leaves are texts, such as nested forms and CSV records. A text that
 * does not fit stays text, so that validation names it. Where a list is declared, a single text is
 * a list of one. Schemas that are not zod's leave everything as it is.
 */
export function compileCoercion(schema: Schema | undefined): Coercion {
  return coercionOf(definitionOf(schema), new Map());
}

/** The schema of one field of an object schema; undefined where it is not declared. */
export function fieldSchema(schema: Schema | undefined, field: string): Schema | undefined {
  const definition = definitionOf(schema);
  const declared = definition?.shape?.[field];
  return definitionOf(declared) === undefined ? undefined : declared as Schema; // it is zod's
}

/** Whether a schema takes a list as its whole value. */
export function isListSchema(schema: Schema | undefined): boolean {
  const type = definitionOf(schema)?.type;
  return type === "array" || type === "set" || type === "tuple";
}

// Schemas may refer to themselves: a place is compiled when the first value comes to it.
type Known = Map<Definition, Coercion>;

const unchanged: Coercion = (value) => value;

function coercionOf(definition: Definition | undefined, known: Known): Coercion {
  if (definition === undefined) return unchanged;
  const found = known.get(definition);
  if (found !== undefined) return found;
  let compiled: Coercion | undefined;
  const lazy: Coercion = (value) => (compiled ??= compile(definition, known))(value);
  known.set(definition, lazy);
  return lazy;
}

function compile(definition: Definition, known: Known): Coercion {
  switch (definition.type) {
    case "array":
    case "set":
      return listCoercion(definition.element ?? definition.valueType, known);
    case "tuple":
      return tupleCoercion(definition.items ?? [], known);
    case "object":
      return objectCoercion(definition.shape ?? {}, definition.catchall, known);
    case "record":
      return objectCoercion({}, definition.valueType, known);
    case "union":
      return unionCoercion(definition, known);
    case "intersection":
      return inTurn([definition.left, definition.right], known);
    default:
      return scalarCoercion(definition);
  }
}

function scalarCoercion(definition: Definition): Coercion {
  const read = scalarReading(definition);
  return (value) => typeof value === "string" ? read(value) : value;
}

function listCoercion(element: unknown, known: Known): Coercion {
  const coerce = coercionOf(definitionOf(element), known);
  return (value) => {
    if (Array.isArray(value)) return value.map(coerce);
    return typeof value === "string" || value instanceof Blob ? [coerce(value)] : value;
  };
}

function tupleCoercion(items: readonly unknown[], known: Known): Coercion {
  const coercions = items.map((item) => coercionOf(definitionOf(item), known));
  return (value) =>
    Array.isArray(value)
      ? value.map((item, index) => (coercions[index] ?? unchanged)(item))
      : value;
}

function objectCoercion(
  shape: Readonly<Record<string, unknown>>,
  rest: unknown,
  known: Known,
): Coercion {
  const fields = new Map(
    Object.entries(shape).map(([name, field]) => [name, coercionOf(definitionOf(field), known)]),
  );
  const others = coercionOf(definitionOf(rest), known);
  return (value) => {
    if (!isRecord(value)) return value;
    const entries = Object.entries(value);
    return Object.fromEntries(
      entries.map(([name, inner]) => [name, (fields.get(name) ?? others)(inner)]),
    );
  };
}

// Texts are read as scalars; of lists and objects, each part is read by the first that knows how.
function unionCoercion(definition: Definition, known: Known): Coercion {
  const scalar = scalarCoercion(definition);
  const options = definition.options ?? [];
  const structures = options.filter((option) => {
    return ["array", "object", "record", "tuple"].includes(definitionOf(option)?.type ?? "");
  });
  const structure = inTurn(structures, known);
  return (value) => typeof value === "string" ? scalar(value) : structure(value);
}

function inTurn(parts: readonly unknown[], known: Known): Coercion {
  const coercions = parts.map((part) => coercionOf(definitionOf(part), known));
  return (value) => coercions.reduce((current, coerce) => coerce(current), value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Blob);
}
