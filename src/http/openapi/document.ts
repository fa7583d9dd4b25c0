import type { SecurityScheme } from "../../security/authenticator.ts";
import type { JsonSchema } from "../../service/json-schema.ts";
import { mayHaveKey } from "../idempotency/key.ts";
import type { Segment } from "../path-template.ts";
import type { Route, RouteEntry } from "../route.ts";
import type { EndpointDescription } from "./description.ts";

type Json = Readonly<Record<string, unknown>>;

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
}

/** Methods whose input comes in path and query alone. */
const bodiless = new Set(["GET", "HEAD", "DELETE", "OPTIONS"]);

/**
 * The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1) of routes that describe
 * themselves. Stable: the same configuration gives the same text.
 */
export function openApiDocument(
  entries: readonly RouteEntry<Route>[],
  { title, version }: OpenApiOptions,
): Json {
  const components = new Components();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const entry of [...entries].sort(byPath)) {
    const described = entry.target.describe?.();
    if (described === undefined) continue;
    const path = pathOf(entry.template.segments);
    const item = paths[path] ??= {};
    for (const method of entry.methods) {
      // Channels that differ in host or media type alone share an operation: the first is shown.
      item[method.toLowerCase()] ??= operationOf(entry, { method, described, components });
    }
  }
  return {
    openapi: "3.1.1",
    info: { title, version },
    servers: [{ url: "/" }],
    paths,
    components: components.json(),
  };
}

function byPath(a: RouteEntry<Route>, b: RouteEntry<Route>): number {
  return a.template.shape < b.template.shape ? -1 : a.template.shape > b.template.shape ? 1 : 0;
}

/** OpenAPI has no wildcards: a client writes what is left of the path in place of the last name. */
function pathOf(segments: readonly Segment[]): string {
  return segments.map((part) => part.type === "literal" ? `/${part.text}` : `/{${part.name}}`)
    .join("");
}

interface OperationOptions {
  readonly method: string;
  readonly described: EndpointDescription;
  readonly components: Components;
}

function operationOf(
  { template, target }: RouteEntry<Route>,
  { method, described, components }: OperationOptions,
): Json {
  const id = `${target.channel.name}.${method.toLowerCase()}`.replace(/[^\w.-]/g, "_");
  const input = described.input === undefined ? {} : components.hoist(described.input, id);
  const parts = splitInput(input, template.segments);
  const takesBody = !bodiless.has(method) && described.requestTypes.length > 0;
  const parameters = [
    ...parts.path,
    ...(takesBody ? [] : parts.query),
    ...(mayHaveKey(method) ? [keyParameter(target)] : []),
  ];
  const schemes = target.guard?.schemes ?? [];
  for (const scheme of schemes) components.addScheme(scheme);
  const { output } = described;
  return {
    operationId: id,
    summary: described.summary,
    tags: [target.service],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(takesBody
      ? { requestBody: { content: contentOf(described.requestTypes, parts.body) } }
      : {}),
    responses: {
      "200": {
        description: "What the service answers",
        content: contentOf(
          described.responseTypes,
          output === undefined ? {} : components.hoist(output, `${id}.answer`),
        ),
      },
      default: { $ref: "#/components/responses/Problem" },
    },
    security: schemes.map(({ name }) => ({ [name]: [] })),
  };
}

function keyParameter({ keys }: Route): Json {
  return {
    name: "Idempotency-Key",
    in: "header",
    required: keys?.required ?? false,
    description:
      "New for each operation: however often a request is sent with it, it is executed " +
      "once at most",
    schema: { type: "string", minLength: 1, maxLength: 255 },
  };
}

function contentOf(types: readonly string[], schema: Json): Json {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

interface SplitInput {
  readonly path: readonly Json[];
  readonly query: readonly Json[];
  /** What is left for the body. */
  readonly body: Json;
}

function splitInput(input: Json, segments: readonly Segment[]): SplitInput {
  const properties = (input["properties"] ?? {}) as Record<string, Json>; // as JSON Schema has it
  const required = new Set((input["required"] ?? []) as readonly string[]); // as JSON Schema has it
  const names = segments.flatMap((part) => part.type === "literal" ? [] : [part.name]);
  const path = names.map((name) => ({
    name,
    in: "path",
    required: true,
    schema: properties[name] ?? { type: "string" },
  }));
  const others = Object.entries(properties).filter(([name]) => !names.includes(name));
  const query = others.map(([name, schema]) => ({
    name,
    in: "query",
    required: required.has(name),
    schema,
  }));
  if (input["properties"] === undefined) return { path, query, body: input };
  const left = others.map(([name]) => name).filter((name) => required.has(name));
  const { required: _, ...rest } = input;
  const body = {
    ...rest,
    properties: Object.fromEntries(others),
    ...(left.length === 0 ? {} : { required: left }),
  };
  return { path, query, body };
}

/** What several operations refer to. */
class Components {
  readonly #schemas: Record<string, Json> = {};
  readonly #securitySchemes: Record<string, Json> = {};

  addScheme({ name, scheme }: SecurityScheme): void {
    this.#securitySchemes[name] = scheme;
  }

  /** Moves a schema's own definitions into the document, under names that begin with `id`. */
  hoist(schema: JsonSchema, id: string): Json {
    const { $schema: _, $defs = {}, ...own } = schema;
    const rename = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(rename);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
          key,
          key === "$ref" && typeof inner === "string" ? referenceOf(inner, id) : rename(inner),
        ]),
      );
    };
    for (const [name, definition] of Object.entries($defs as Record<string, unknown>)) {
      this.#schemas[`${id}.${name}`] = rename(definition) as Json; // an object in, an object out
    }
    if (JSON.stringify(own).includes('"$ref":"#"')) this.#schemas[id] = rename(own) as Json; // same
    return rename(own) as Json; // an object in, an object out
  }

  json(): Json {
    return {
      schemas: { ...this.#schemas, Problem: problemSchema },
      responses: {
        Problem: {
          description: "What went wrong, as problem details (RFC 9457)",
          content: {
            "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
          },
        },
      },
      securitySchemes: this.#securitySchemes,
    };
  }
}

function referenceOf(reference: string, id: string): string {
  if (reference === "#") return `#/components/schemas/${id}`;
  return reference.replace(/^#\/\$defs\//, `#/components/schemas/${id}.`);
}

const problemSchema: Json = {
  type: "object",
  required: ["title", "status", "cid"],
  properties: {
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", description: "A code of the platform's table of errors" },
    advice: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        properties: {
          pointer: { type: "string", description: "JSON Pointer (RFC 6901) to the field" },
          detail: { type: "string" },
        },
      },
    },
    cid: { type: "string", description: "Correlation id: quote it when you ask for help" },
  },
};
