import { readFile } from "node:fs/promises";
import { type Document, isMap, isNode, isPair, LineCounter, parseAllDocuments, visit } from "yaml";
import type { z } from "zod";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import { didYouMean } from "../lib/nearest-name.ts";

/** One YAML (or JSON) document, with the means to say where in its file a value stands. */
export interface YamlSource {
  readonly file: string;
  readonly value: unknown;
  /** `file:line:column` of the value at `path`, or of the nearest parent that exists. */
  locate(path: readonly PropertyKey[]): string;
}

/** Reads a text file; what is wrong with it becomes CONFIG_UNREADABLE. */
export async function loadText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new PlatformError("CONFIG_UNREADABLE", { file, reason: reasonOf(error) }, {
      cause: error,
    });
  }
}

/**
 * Parses every document of a YAML text (JSON is YAML). Empty documents are left out.
 * Throws CONFIG_SYNTAX with line and column; duplicate keys are errors; at most 100 aliases.
 */
export function parseYaml(text: string, file: string): readonly YamlSource[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  if (!Array.isArray(documents)) return [];
  const sources: YamlSource[] = [];
  for (const document of documents) {
    const [problem] = document.errors;
    if (problem !== undefined) {
      const { line, col } = lines.linePos(problem.pos[0]);
      const reason = problem.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "");
      throw new PlatformError("CONFIG_SYNTAX", { file, line, column: col, reason });
    }
    const value = resolveValue(document, lines, file);
    if (value === null || value === undefined) continue;
    sources.push({ file, value, locate: (path) => locate(document, lines, file, path) });
  }
  return sources;
}

/** Aliases are followed only here, so that what is wrong with them is found late. */
function resolveValue(document: Document, lines: LineCounter, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    let offset = document.range?.[0] ?? 0;
    visit(document, {
      Alias: (_key, alias) => {
        if (alias.resolve(document) !== undefined) return undefined;
        offset = alias.range?.[0] ?? offset;
        return visit.BREAK;
      },
    });
    const { line, col } = lines.linePos(offset);
    const params = { file, line, column: col, reason: reasonOf(error) };
    throw new PlatformError("CONFIG_SYNTAX", params, { cause: error });
  }
}

/**
 * Checks a document against a schema. Throws CONFIG_INVALID for the first problem, with its place
 * and the nearest known name for an unknown field; `details.issues` lists all problems.
 */
export function validateSource<S extends z.ZodType>(schema: S, source: YamlSource): z.output<S> {
  const result = schema.safeParse(source.value);
  if (result.success) return result.data;
  const issues = describeIssues(result.error, schema).map((issue) => ({
    where: source.locate(issue.path),
    field: issue.path.map(String).join("."),
    reason: issue.reason,
  }));
  const [first] = issues;
  throw new PlatformError("CONFIG_INVALID", {
    where: first?.where ?? source.file,
    reason: issues.map((issue) => issue.reason).join("; "),
  }, { details: { issues } });
}

export interface SchemaIssue {
  readonly path: readonly PropertyKey[];
  readonly reason: string;
}

/** A zod error as sentences: `field "timeoutMs": ...`, with the nearest name for unknown fields. */
export function describeIssues(error: z.ZodError, schema?: z.ZodType): readonly SchemaIssue[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const hint = didYouMean(key, knownKeys(schema, issue.path));
        return { path: [...issue.path, key], reason: `Unknown field "${key}"${hint}` };
      });
    }
    const field = issue.path.map(String).join(".");
    const reason = field === "" ? issue.message : `Field "${field}": ${issue.message}`;
    return [{ path: issue.path, reason }];
  });
}

function knownKeys(schema: z.ZodType | undefined, path: readonly PropertyKey[]): string[] {
  let inner: unknown = schema;
  for (const key of path) inner = memberOf(inner, key);
  return Object.keys(shapeOf(inner) ?? {});
}

/** The schema of a field, or of what a list or map holds. */
function memberOf(schema: unknown, key: PropertyKey): unknown {
  const inner = unwrap(schema);
  const shape = shapeOf(inner);
  if (shape !== undefined) return shape[String(key)];
  const def = defOf(inner);
  return def["element"] ?? def["valueType"];
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  const inner = unwrap(schema);
  if (inner === null || typeof inner !== "object" || !("shape" in inner)) return undefined;
  return inner.shape as Record<string, unknown>; // zod has no narrower public type for "any object"
}

/** Optional, default and similar wrappers hold what they wrap under `def.innerType`, pipes `def.in`. */
function unwrap(schema: unknown): unknown {
  let inner = schema;
  for (let depth = 0; depth < 8; depth++) {
    const def = defOf(inner);
    const next = def["innerType"] ?? def["in"];
    if (next === undefined) break;
    inner = next;
  }
  return inner;
}

function defOf(schema: unknown): Record<string, unknown> {
  const def: unknown = schema !== null && typeof schema === "object" && "def" in schema
    ? schema.def
    : undefined;
  return def !== null && typeof def === "object" ? def as Record<string, unknown> : {}; // read only by name
}

function locate(
  document: Document,
  lines: LineCounter,
  file: string,
  path: readonly PropertyKey[],
): string {
  for (let length = path.length; length >= 0; length--) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset !== undefined) {
      const { line, col } = lines.linePos(offset);
      return `${file}:${line}:${col}`;
    }
  }
  return file;
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  const parent: unknown = document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent) && last !== undefined) {
    // An unknown field is best shown at its name, not at its value.
    const pair = parent.items.find((item) => isPair(item) && String(item.key) === String(last));
    if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0];
  }
  const node: unknown = document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}
