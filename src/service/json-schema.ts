import { z } from "zod";
import type { Schema } from "./schema.ts";

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The JSON Schema of what a schema takes, or gives; undefined where JSON Schema cannot say it. */
export function jsonSchemaOf(
  schema: Schema | undefined,
  io: "input" | "output",
): JsonSchema | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  try {
    // Through JSON, so that what leaves the process is plain data.
    return JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: "any" })));
  } catch {
    return undefined; // a schema that JSON Schema cannot say is no fault of the service
  }
}
