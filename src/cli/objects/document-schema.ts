import { z } from "zod";
import { apiVersion, type Kind } from "../../catalog/kind.ts";
import { kinds } from "../../connectors/registry.ts";

/** A secret as files are meant to hold it. */
const secretReference = {
  type: "string",
  pattern: "^\\$\\{(env|file):[^}]+\\}$",
  description: "Read from an environment variable or a file when the object is applied",
} as const;

/** The JSON Schema (2020-12) of a document of one kind, as files hold it. */
export function kindSchema(kind: Kind): Record<string, unknown> {
  return toJsonSchema(documentOf(kind));
}

/** The JSON Schema (2020-12) of a document of any kind. */
export function objectSchema(): Record<string, unknown> {
  const [first, ...rest] = [...kinds.values()].map(documentOf);
  const any = z.discriminatedUnion("kind", [first!, ...rest]).meta({
    title: "Dragoman object",
    description: "One object, as dragoman apply takes it",
  });
  return toJsonSchema(any);
}

function toJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override({ jsonSchema }) {
      if (typeof jsonSchema["secret"] !== "string" || jsonSchema["type"] !== "string") return;
      // The text of a secret, which is long enough, or the reference to it, which may not be.
      const { type, minLength, maxLength, pattern, ...rest } = jsonSchema;
      const text = Object.fromEntries(
        Object.entries({ type, minLength, maxLength, pattern }).filter(([, value]) =>
          value !== undefined
        ),
      );
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key as keyof typeof jsonSchema]; // its own keys
      Object.assign(jsonSchema, rest, { anyOf: [secretReference, text] });
    },
  });
}

function documentOf({ kind, description, schema }: Kind) {
  return z.strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal(kind),
    name: z.string(),
    spec: schema,
  }).meta({ title: kind, description });
}
