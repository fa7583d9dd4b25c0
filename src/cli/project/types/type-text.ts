/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>> | boolean;

interface Scope {
  /** The whole schema, for references. */
  readonly root: JsonSchema;
  /** Names of the types that references became, by pointer. */
  readonly names: ReadonlyMap<string, string>;
}

const indentStep = "  ";

/**
 * The TypeScript type that a JSON Schema describes, as text. What TypeScript cannot say (lengths,
 * patterns, ranges) is left out; what is not understood is `unknown`. `references` names the types
 * that stand for `$ref`s, by pointer.
 */
export function typeText(
  schema: JsonSchema,
  { references = new Map(), indent = "" }: {
    readonly references?: ReadonlyMap<string, string>;
    readonly indent?: string;
  } = {},
): string {
  return print(schema, { root: schema, names: references }, indent);
}

/** The pointers of all references that go to themselves somewhere: they need a name. */
export function recursivePointers(schema: JsonSchema): readonly string[] {
  const found = new Set<string>();
  const visit = (value: unknown, path: readonly string[]): void => {
    if (Array.isArray(value)) return value.forEach((item) => visit(item, path));
    if (typeof value !== "object" || value === null) return;
    const pointer = (value as Readonly<Record<string, unknown>>)["$ref"]; // read by name
    if (typeof pointer === "string") {
      if (path.includes(pointer)) return void found.add(pointer);
      return visit(resolvePointer(schema, pointer), [...path, pointer]);
    }
    for (const [key, item] of Object.entries(value)) {
      if (key !== "$defs" && key !== "definitions") visit(item, path);
    }
  };
  visit(schema, ["#"]);
  return [...found];
}

/** What a pointer such as `#/$defs/Node` leads to; undefined when nothing is there. */
export function resolvePointer(root: JsonSchema, pointer: string): JsonSchema | undefined {
  if (!pointer.startsWith("#")) return undefined;
  let found: unknown = root;
  for (const part of pointer.slice(1).split("/").filter((text) => text !== "")) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    found = typeof found === "object" && found !== null && Object.hasOwn(found, key)
      ? (found as Readonly<Record<string, unknown>>)[key] // its own key
      : undefined;
  }
  return typeof found === "boolean" || (typeof found === "object" && found !== null)
    ? found as JsonSchema // an object or a truth value, as JSON Schema has them
    : undefined;
}

function print(schema: JsonSchema | undefined, scope: Scope, indent: string): string {
  if (schema === undefined || schema === true) return "unknown";
  if (schema === false) return "never";
  const parts = [
    referenced(schema, scope, indent),
    literals(schema),
    combined(schema, scope, indent),
    byType(schema, scope, indent),
  ].filter((text) => text !== undefined);
  // A literal or a reference says more than the type beside it.
  const [first = "unknown"] = parts;
  return first;
}

function referenced(schema: Exclude<JsonSchema, boolean>, scope: Scope, indent: string) {
  const pointer = schema["$ref"];
  if (typeof pointer !== "string") return undefined;
  const name = scope.names.get(pointer);
  if (name !== undefined) return name;
  const target = resolvePointer(scope.root, pointer);
  return target === undefined ? "unknown" : print(target, scope, indent);
}

function literals(schema: Exclude<JsonSchema, boolean>): string | undefined {
  if ("const" in schema) return literal(schema["const"]);
  const values = schema["enum"];
  if (!Array.isArray(values)) return undefined;
  return values.length === 0 ? "never" : union(values.map(literal));
}

function literal(value: unknown): string {
  const isSimple = value === null || ["string", "number", "boolean"].includes(typeof value);
  if (isSimple) return JSON.stringify(value);
  if (Array.isArray(value)) return `readonly [${value.map(literal).join(", ")}]`;
  if (typeof value !== "object") return "unknown";
  const fields = Object.entries(value as object).map(([key, item]) =>
    // null went above
    `${propertyName(key)}: ${literal(item)}`
  );
  return fields.length === 0 ? "Record<string, never>" : `{ ${fields.join("; ")} }`;
}

function combined(schema: Exclude<JsonSchema, boolean>, scope: Scope, indent: string) {
  for (const word of ["anyOf", "oneOf"]) {
    const options = schema[word];
    if (!Array.isArray(options) || options.length === 0) continue;
    const text = union(options.map((option: JsonSchema) => print(option, scope, indent)));
    const { [word]: _, ...rest } = schema;
    const beside = hasShape(rest) ? print(rest, scope, indent) : undefined;
    return beside === undefined ? text : intersection([beside, text]);
  }
  const all = schema["allOf"];
  if (!Array.isArray(all) || all.length === 0) return undefined;
  const { allOf: _, ...rest } = schema;
  const texts = all.map((option: JsonSchema) => print(option, scope, indent));
  return intersection([...(hasShape(rest) ? [print(rest, scope, indent)] : []), ...texts]);
}

/** Whether there is something that makes a type beside `anyOf`, `oneOf` or `allOf`. */
function hasShape(schema: Exclude<JsonSchema, boolean>): boolean {
  return ["properties", "items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf"]
    .some((word) => word in schema);
}

function byType(schema: Exclude<JsonSchema, boolean>, scope: Scope, indent: string) {
  const { type } = schema;
  if (Array.isArray(type)) {
    return union(type.map((one: unknown) => ofType(String(one), schema, { scope, indent })));
  }
  if (typeof type === "string") return ofType(type, schema, { scope, indent });
  if ("properties" in schema || "additionalProperties" in schema) {
    return objectText(schema, scope, indent);
  }
  if ("items" in schema || "prefixItems" in schema) return arrayText(schema, scope, indent);
  return undefined;
}

function ofType(
  type: string,
  schema: Exclude<JsonSchema, boolean>,
  { scope, indent }: { readonly scope: Scope; readonly indent: string },
): string {
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return arrayText(schema, scope, indent);
    case "object":
      return objectText(schema, scope, indent);
    default:
      return "unknown";
  }
}

function arrayText(schema: Exclude<JsonSchema, boolean>, scope: Scope, indent: string): string {
  // Before 2020-12, a tuple was a list under `items`.
  const { items } = schema;
  const first = schema["prefixItems"] ?? (Array.isArray(items) ? items : undefined);
  const rest = Array.isArray(items) ? schema["additionalItems"] : items;
  if (!Array.isArray(first)) {
    const item = print(items as JsonSchema | undefined, scope, indent); // a schema, by the draft
    return `${grouped(item)}[]`;
  }
  const least = typeof schema["minItems"] === "number" ? schema["minItems"] : first.length;
  const parts = first.map((item: JsonSchema, index) => {
    const text = print(item, scope, indent);
    return index < least ? text : `${grouped(text)}?`;
  });
  const isOpen = rest !== undefined && rest !== false;
  if (isOpen) parts.push(`...${grouped(print(rest as JsonSchema, scope, indent))}[]`); // a schema too
  return `[${parts.join(", ")}]`;
}

function objectText(schema: Exclude<JsonSchema, boolean>, scope: Scope, indent: string): string {
  const properties = Object.entries(
    (schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>, // by the draft
  );
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const further = schema["additionalProperties"];
  const patterns = Object.values((schema["patternProperties"] ?? {}) as object); // by the draft
  if (properties.length === 0) return recordText(schema, scope, indent);
  const inner = indent + indentStep;
  const lines = properties.map(([name, value]) => {
    const mark = required.includes(name) ? "" : "?";
    return `${doc(value, inner)}${inner}${propertyName(name)}${mark}: ${
      print(value, scope, inner)
    };`;
  });
  const isOpen = (typeof further === "object" && further !== null) || patterns.length > 0;
  const text = `{\n${lines.join("\n")}\n${indent}}`;
  // An index signature would have to fit the named fields too.
  return isOpen ? intersection([text, "Record<string, unknown>"]) : text;
}

function recordText(schema: Exclude<JsonSchema, boolean>, scope: Scope, indent: string): string {
  const further = schema["additionalProperties"];
  if (further === false && !("patternProperties" in schema)) return "Record<string, never>";
  const values = [
    ...Object.values((schema["patternProperties"] ?? {}) as Record<string, JsonSchema>), // as above
    ...(further === undefined || typeof further !== "object" ? [] : [further as JsonSchema]), // so
  ];
  const keys = keyText(schema["propertyNames"]);
  const value = values.length === 0
    ? "unknown"
    : union(values.map((one) => print(one, scope, indent)));
  // A record of an enumeration has all of its keys only when they are required.
  const isPartial = keys !== "string" && !("required" in schema);
  return isPartial ? `Partial<Record<${keys}, ${value}>>` : `Record<${keys}, ${value}>`;
}

function keyText(names: unknown): string {
  if (typeof names !== "object" || names === null) return "string";
  return literals(names as Exclude<JsonSchema, boolean>) ?? "string"; // a schema, by the draft
}

function doc(schema: JsonSchema, indent: string): string {
  const text = typeof schema === "object" ? schema["description"] : undefined;
  if (typeof text !== "string" || text === "") return "";
  const line = text.replaceAll("*/", "*\\/").replaceAll(/\s+/g, " ").trim();
  return `${indent}/** ${line} */\n`;
}

/** A property's or a member's name, in quotes where it needs them. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function union(texts: readonly string[]): string {
  const distinct = [...new Set(texts)];
  if (distinct.includes("unknown")) return "unknown";
  const possible = distinct.filter((text) => text !== "never");
  return possible.length === 0 ? "never" : possible.map(insideUnion).join(" | ");
}

function intersection(texts: readonly string[]): string {
  const distinct = [...new Set(texts)].filter((text) => text !== "unknown");
  return distinct.length === 0 ? "unknown" : distinct.map(grouped).join(" & ");
}

/** In parentheses when what comes behind it would bind more strongly. */
function grouped(text: string): string {
  return splitsAtTop(text, "|&") ? `(${text})` : text;
}

function insideUnion(text: string): string {
  return splitsAtTop(text, "&") ? `(${text})` : text;
}

/** Whether one of the signs stands outside of all brackets and quotes. */
function splitsAtTop(text: string, signs: string): boolean {
  let depth = 0;
  let isQuoted = false;
  for (let index = 0; index < text.length; index++) {
    const sign = text[index]!;
    if (isQuoted) {
      if (sign === "\\") index++;
      else if (sign === '"') isQuoted = false;
    } else if (sign === '"') isQuoted = true;
    else if ("{[(<".includes(sign)) depth++;
    else if ("}])>".includes(sign)) depth--;
    else if (depth === 0 && signs.includes(sign)) return true;
  }
  return false;
}
