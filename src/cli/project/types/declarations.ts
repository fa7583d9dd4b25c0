import type { ObjectView, ServiceView } from "../../../admin-api/api.ts";
import type { KindInfo } from "../../../admin-api/api.ts";
import { describeWsdl } from "../../../soap/wsdl/describe.ts";
import {
  type JsonSchema,
  propertyName,
  recursivePointers,
  resolvePointer,
  typeText,
} from "./type-text.ts";

/** What exists in a cluster. */
export interface ClusterNames {
  readonly services: readonly ServiceView[];
  readonly objects: readonly ObjectView[];
  readonly kinds: readonly Pick<KindInfo, "kind" | "group">[];
}

const header = `// Written by dragoman types; changes are lost with the next one.
// Names and types of what exists in the cluster, so that a misspelt name does not compile.
import "dragoman";
`;

/**
 * The declarations that tell service code which names exist, and what services take and give.
 * Equal clusters have equal texts.
 */
export function renderDeclarations({ services, objects, kinds }: ClusterNames): string {
  const named = new NamedTypes();
  const byName = services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const names = (kind: string) => objects.filter((object) => object.kind === kind).map(nameOf);
  const ofGroup = new Set(kinds.filter(({ group }) => group === "channel").map(({ kind }) => kind));
  const channels = objects.filter(({ kind }) => ofGroup.has(kind));
  const members = [
    ["services", record(byName.map((service) => [service.name, serviceText(service, named)]))],
    ["rest", union(names("RestOutgoing"))],
    ["soap", record(soapOperations(objects, named))],
    ["channels", record(channels.map(({ name, kind }) => [name, JSON.stringify(kind)]))],
    ["caches", union(["default", ...names("Cache")])],
    ["configs", record(configs(objects))],
    ["dictionaries", union(names("Dictionary"))],
  ] as const;
  const lines = members.map(([member, text]) => `    ${member}: ${text};`);
  return `${header}${named.text}
declare module "dragoman" {
  interface Register {
${lines.join("\n")}
  }
}
`;
}

const anyOperation = "Record<string, { input: unknown; output: unknown }>";
const memberIndent = "      ";

function serviceText({ name, input, output }: ServiceView, named: NamedTypes): string {
  const inner = `${memberIndent}  `;
  const text = (schema: unknown, part: string) =>
    schema === undefined
      ? "unknown"
      : named.print(schema as JsonSchema, { hint: `${name}-${part}`, indent: inner }); // the ODB's
  return `{\n${inner}input: ${text(input, "input")};\n${inner}output: ${
    text(output, "output")
  };\n${memberIndent}}`;
}

/** The operations of SoapOutgoings, as their WSDLs say. */
function soapOperations(
  objects: readonly ObjectView[],
  named: NamedTypes,
): readonly (readonly [string, string])[] {
  const byName = objects.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return byName.filter(({ kind }) => kind === "SoapOutgoing").map(({ name, spec }) => {
    const { wsdl, service, port } = spec;
    if (typeof wsdl !== "string") return [name, anyOperation];
    const choice = { service: textOrNothing(service), port: textOrNothing(port) };
    let operations: ReturnType<typeof describeWsdl>;
    try {
      operations = describeWsdl(wsdl, choice);
    } catch {
      return [name, anyOperation]; // a connection that cannot be used is reported elsewhere
    }
    const indent = `${memberIndent}    `;
    const lines = Object.entries(operations).map(([operation, { input, output }]) => {
      const type = (schema: JsonSchema, part: string) =>
        named.print(schema, { hint: `${name}-${operation}-${part}`, indent });
      return `${memberIndent}  ${propertyName(operation)}: {\n` +
        `${indent}input: ${type(input, "input")};\n` +
        `${indent}output: ${type(output, "output")};\n${memberIndent}  };\n`;
    });
    return [name, lines.length === 0 ? anyOperation : `{\n${lines.join("")}${memberIndent}}`];
  });
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The values of a UserConfig are typed after what they are now. */
function configs(objects: readonly ObjectView[]): readonly (readonly [string, string])[] {
  return objects.filter(({ kind }) => kind === "UserConfig").map(({ name, spec }) => {
    const { values } = spec;
    const fields = typeof values === "object" && values !== null ? Object.entries(values) : [];
    const text = fields.map(([field, value]) => `${propertyName(field)}: ${widened(value)}`);
    return [name, text.length === 0 ? "Record<string, never>" : `{ ${text.join("; ")} }`] as const;
  });
}

function widened(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) {
    const items = [...new Set(value.map(widened))];
    return items.length === 0 ? "readonly unknown[]" : `readonly (${items.join(" | ")})[]`;
  }
  if (typeof value !== "object") return typeof value;
  const fields = Object.entries(value).map(([key, item]) =>
    `readonly ${propertyName(key)}: ${widened(item)}`
  );
  return fields.length === 0 ? "Record<string, never>" : `{ ${fields.join("; ")} }`;
}

function record(entries: readonly (readonly [string, string])[]): string {
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length === 0) return "Record<never, never>";
  const lines = sorted.map(([name, text]) => `${memberIndent}${propertyName(name)}: ${text};`);
  return `{\n${lines.join("\n")}\n    }`;
}

function union(names: readonly string[]): string {
  const distinct = [...new Set(names)].sort();
  return distinct.length === 0 ? "never" : distinct.map((name) => JSON.stringify(name)).join(" | ");
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

/** Types that refer to themselves, which only a name can do. */
class NamedTypes {
  readonly #declarations: string[] = [];

  get text(): string {
    return this.#declarations.map((text) => `\n${text}\n`).join("");
  }

  print(schema: JsonSchema, { hint, indent }: { readonly hint: string; readonly indent: string }) {
    const pointers = recursivePointers(schema);
    const base = hint.split(/[^A-Za-z0-9]+/).map((word) =>
      word.charAt(0).toUpperCase() + word.slice(1)
    ).join("").replace(/^(?=\d)/, "_");
    const start = this.#declarations.length;
    const references = new Map(
      pointers.map((pointer, index) => [pointer, `${base}${start + index + 1}`]),
    );
    const printIn = (part: JsonSchema, partIndent: string) =>
      typeText(
        typeof part === "object" && typeof schema === "object"
          ? { ...part, $defs: schema["$defs"], definitions: schema["definitions"] }
          : part,
        { references, indent: partIndent },
      );
    for (const [pointer, name] of references) {
      const target = pointer === "#" ? schema : resolvePointer(schema, pointer);
      this.#declarations.push(`type ${name} = ${printIn(target ?? true, "")};`);
    }
    return references.get("#") ?? printIn(schema, indent);
  }
}
