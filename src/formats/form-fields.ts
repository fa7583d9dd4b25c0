import { PlatformError } from "../errors/platform-error.ts";
import type { Schema } from "../service/schema.ts";
import { compileTextInput, type TextInput } from "../service/text-input.ts";
import { type Coercion, compileCoercion, fieldSchema } from "./coerce.ts";
import { forbiddenKey } from "./prototype-keys.ts";

/** Fields in one query or form. */
const fieldsMax = 1_000;
/** Brackets in one name. */
const levelsMax = 16;

/** What a field of a form carries. */
export type FieldValue = string | File;

/**
 * Reads fields of queries and forms as the types that a schema declares.
 *
 * A name may be a path: `a[b]=1` is `{"a":{"b":1}}`, `a[]=x&a[]=y` and `a[0]=x&a[1]=y` are
 * `{"a":["x","y"]}`, and both go on (`a[0][b]`). Indexes are those of a list when they are 0, 1, 2
 * and so on without a gap; otherwise they are names. Any other name is taken as it is.
 */
export interface FieldReader {
  /** Throws REQUEST_MALFORMED for too many, too deep, contradicting and forbidden fields. */
  read(fields: Iterable<readonly [string, FieldValue]>): Record<string, unknown>;
  /** One text for one field, such as a part of the path. */
  readText(name: string, text: string): unknown;
  /** False when the schema takes something other than an object, such as a list. */
  readonly isObject: boolean;
}

/** Walks a schema; once for each schema. */
export function compileFieldReader(schema: Schema | undefined): FieldReader {
  const texts = compileTextInput(schema);
  const nested = new NestedFields(schema);
  return {
    isObject: texts.isObject,
    readText: (name, text) => texts.read(name, [text]),
    read: (fields) => readFields(fields, { texts, nested }),
  };
}

interface Readers {
  readonly texts: TextInput;
  readonly nested: NestedFields;
}

function readFields(
  fields: Iterable<readonly [string, FieldValue]>,
  { texts, nested }: Readers,
): Record<string, unknown> {
  const flat = new Map<string, FieldValue[]>();
  let trees: Map<string, Tree> | undefined;
  let count = 0;
  for (const [name, value] of fields) {
    if (++count > fieldsMax) throw malformed(`There are over ${fieldsMax} fields`);
    if (name === "__proto__") throw forbiddenKey(name);
    const bracket = name.indexOf("[");
    const levels = bracket > 0 ? levelsOf(name, bracket) : undefined;
    if (levels !== undefined) {
      plant(trees ??= new Map(), { root: name.slice(0, bracket), levels, value });
      continue;
    }
    const known = flat.get(name);
    if (known === undefined) flat.set(name, [value]);
    else known.push(value);
  }
  const values: Record<string, unknown> = {};
  for (const [name, all] of flat) values[name] = readFlat(name, all, { texts, nested });
  for (const [name, tree] of trees ?? []) {
    if (flat.has(name)) throw contradicting(name);
    values[name] = nested.read(name, toValue(tree));
  }
  return values;
}

function readFlat(
  name: string,
  all: readonly FieldValue[],
  { texts, nested }: Readers,
): unknown {
  if (all.every((value) => typeof value === "string")) return texts.read(name, all);
  return nested.read(name, all.length === 1 ? all[0] : all);
}

/** Coercions of fields whose values are not only texts; most forms never need one. */
class NestedFields {
  readonly #schema: Schema | undefined;
  readonly #coercions = new Map<string, Coercion>();

  constructor(schema: Schema | undefined) {
    this.#schema = schema;
  }

  read(name: string, value: unknown): unknown {
    const schema = fieldSchema(this.#schema, name);
    // Names that clients make up are not kept.
    if (schema === undefined) return value;
    const known = this.#coercions.get(name) ?? compileCoercion(schema);
    this.#coercions.set(name, known);
    return known(value);
  }
}

/** `[b][0]` as `["b", "0"]`; undefined for a name that is no path. */
function levelsOf(name: string, start: number): string[] | undefined {
  const path = name.slice(start);
  if (!/^(\[[^[\]]*\])+$/.test(path)) return undefined;
  const levels = path.slice(1, -1).split("][");
  if (levels.length > levelsMax) {
    throw malformed(`A field's name has over ${levelsMax} levels`);
  }
  if (levels.includes("__proto__") || name.startsWith("__proto__[")) {
    throw forbiddenKey("__proto__");
  }
  return levels;
}

type Tree = FieldValue | Map<string, Tree>;

interface Planted {
  readonly root: string;
  readonly levels: readonly string[];
  readonly value: FieldValue;
}

function plant(trees: Map<string, Tree>, { root, levels, value }: Planted): void {
  let tree = trees;
  let key = root;
  for (const level of levels) {
    const next = tree.get(key) ?? new Map<string, Tree>();
    if (!(next instanceof Map)) throw contradicting(root);
    tree.set(key, next);
    tree = next;
    // "[]" is the next place of the list.
    key = level === "" ? String(tree.size) : level;
  }
  if (tree.has(key)) throw contradicting(root);
  tree.set(key, value);
}

function toValue(tree: Tree): unknown {
  if (!(tree instanceof Map)) return tree;
  const values = Array.from({ length: tree.size }, (_, index) => tree.get(String(index)));
  if (!values.includes(undefined)) return values.map((value) => toValue(value!)); // no gaps
  return Object.fromEntries([...tree].map(([key, inner]) => [key, toValue(inner)]));
}

function contradicting(name: string): PlatformError {
  return malformed(`The fields of "${name}" contradict one another`);
}

function malformed(reason: string): PlatformError {
  return new PlatformError("REQUEST_MALFORMED", { reason });
}
