// Writes the generated pages under docs/reference (--write), or fails when they are out of date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Kind } from "../src/catalog/kind.ts";
import { kindSchema, objectSchema } from "../src/cli/objects/document-schema.ts";
import { kinds } from "../src/connectors/registry.ts";
import { codes } from "../src/errors/codes.ts";
import type { ErrorCode } from "../src/errors/error-code.ts";

const root = join(import.meta.dirname!, "..");
const generated = "<!-- Generated from the source by scripts/reference.ts; do not edit. -->\n";

const pages: Record<string, string> = {
  "docs/reference/errors.md": errorsPage(),
  "docs/reference/kinds.md": kindsPage(),
};
for (const kind of kinds.values()) {
  pages[`docs/reference/schemas/${kind.kind}.json`] = JSON.stringify(kindSchema(kind), null, 2) +
    "\n";
}
pages["docs/reference/schemas/dragoman.json"] = JSON.stringify(objectSchema(), null, 2) + "\n";

let stale = 0;
for (const [path, content] of Object.entries(pages)) {
  const file = join(root, path);
  if (existsSync(file) && readFileSync(file, "utf8") === content) continue;
  if (process.argv.includes("--write")) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.log(`wrote ${path}`);
  } else {
    stale++;
    console.error(`${path} is out of date`);
  }
}
if (stale > 0) {
  console.error("Run: npm run check -- --fix");
  process.exit(1);
}

function errorsPage(): string {
  const rows = Object.entries(codes).sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, row]) => {
    const { kind, status, message, advice }: ErrorCode = row;
    return `| \`${code}\` | ${kind} | ${status} | ${escape(message)} | ${escape(advice ?? "")} |`;
  });
  return `${generated}
# Errors

Every error has a code. \`input\`: the caller or the configuration is wrong; \`state\`: not now;
\`peer\`: the other side or the network, worth a retry; \`bug\`: an invariant of ours broke.

| code | kind | status | message | how to fix |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function kindsPage(): string {
  const sections = [...kinds.values()].map((kind) =>
    `## ${kind.kind}

${kind.description}

| field | type | default | description |
| --- | --- | --- | --- |
${fieldRows(kind).join("\n")}
`
  );
  return `${generated}
# Kinds of objects

What \`dragoman apply\` takes. Each document has \`apiVersion: dragoman/v1\`, \`kind\`, \`name\` and \`spec\`;
unknown fields are errors. JSON Schemas for editors are in [schemas](schemas/dragoman.json), one for
every document and one for each kind; see [configuration as code](../guides/configuration-as-code.md).

${sections.join("\n")}`;
}

interface FieldSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly FieldSchema[];
  readonly items?: FieldSchema;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly example?: unknown;
  readonly secret?: string;
}

function fieldRows(kind: Kind): string[] {
  const schema = z.toJSONSchema(kind.schema, { io: "input" }) as {
    readonly properties?: Record<string, FieldSchema>;
    readonly required?: readonly string[];
  }; // JSON Schema of an object, by construction
  return Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const required = schema.required?.includes(name) ? "required" : "";
    const fallback = field.default === undefined
      ? required
      : `\`${JSON.stringify(field.default)}\``;
    const example = field.example === undefined
      ? ""
      : ` Example: \`${JSON.stringify(field.example)}\`.`;
    const secret = field.secret === undefined ? "" : ` Secret (${field.secret}).`;
    const text = `${field.description ?? ""}${example}${secret}`;
    return `| \`${name}\` | ${escape(typeOf(field))} | ${escape(fallback)} | ${escape(text)} |`;
  });
}

function typeOf(field: FieldSchema): string {
  if (field.enum !== undefined) {
    return field.enum.map((value) => JSON.stringify(value)).join(" or ");
  }
  if (field.const !== undefined) return JSON.stringify(field.const);
  if (field.anyOf !== undefined) return field.anyOf.map(typeOf).join(" or ");
  if (field.type === "array") return `list of ${field.items ? typeOf(field.items) : "anything"}`;
  return [field.type ?? "anything"].flat().join(" or ");
}

function escape(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("<", "&lt;");
}
