import { PlatformError } from "../../errors/platform-error.ts";
import { fieldSchema, isListSchema } from "../../formats/coerce.ts";
import { compileFieldReader, type FieldReader } from "../../formats/form-fields.ts";
import type { FormatReader } from "../../formats/format.ts";
import { formats } from "../../formats/registry.ts";
import type { RunnableService } from "../../service/call.ts";
import type { Schema } from "../../service/schema.ts";
import { BodyReader, type TakenFormat } from "./body-reader.ts";
import { RestEndpoint } from "./endpoint.ts";
import type { RestChannelSpec } from "./index.ts";
import { type InputAssembler, MergedInput, SeparateInput } from "./input.ts";
import { compileOutput } from "./output.ts";

/** Prepares everything that a channel's requests share. Throws CHANNEL_UNUSABLE. */
export function compileEndpoint(runnable: RunnableService, spec: RestChannelSpec): RestEndpoint {
  const { input, output } = runnable.service;
  const { merge, bodyField } = spec;
  const bodyName = merge ? bodyField : "body";
  const bodySchema = bodyName === undefined ? input : fieldSchema(input, bodyName);
  if (bodyField !== undefined && isListSchema(input)) {
    const reason = `The service takes a list, which has no field "${bodyField}"`;
    throw new PlatformError("CHANNEL_UNUSABLE", { reason });
  }
  return new RestEndpoint({
    runnable,
    body: compileBody(spec, bodySchema),
    input: compileInput(spec, input),
    output: compileOutput(spec.output, output),
    varies: spec.accept !== undefined,
  });
}

function compileBody({ formats: names }: RestChannelSpec, schema: Schema | undefined): BodyReader {
  const taken = names.map((name): TakenFormat => {
    const format = formats[name];
    return { format, read: cached(readers, schema, name, () => format.reader(schema)) };
  });
  // What takes every text, or everything, comes after what takes one type.
  const last = (one: TakenFormat) => ["text", "binary"].indexOf(one.format.name);
  return new BodyReader({
    formats: taken.toSorted((a, b) => last(a) - last(b)),
    fields: names.includes("form") ? fieldsOf(schema) : undefined,
  });
}

function compileInput(spec: RestChannelSpec, schema: Schema | undefined): InputAssembler {
  const { priority, queryMax, bodyField } = spec;
  if (spec.merge) {
    return new MergedInput({ fields: fieldsOf(schema), priority, queryMax, bodyField });
  }
  return new SeparateInput({
    path: fieldsOf(fieldSchema(schema, "path")),
    query: fieldsOf(fieldSchema(schema, "query")),
    queryMax,
  });
}

// Walking a schema is slow; many channels, and every generation, ask for the same one.
type BySchema<T> = WeakMap<Schema, Map<string, T>>;

const readers: BySchema<FormatReader> = new WeakMap();
const fieldReaders: BySchema<FieldReader> = new WeakMap();

function fieldsOf(schema: Schema | undefined): FieldReader {
  return cached(fieldReaders, schema, "", () => compileFieldReader(schema));
}

function cached<T>(
  known: BySchema<T>,
  schema: Schema | undefined,
  name: string,
  make: () => T,
): T {
  if (schema === undefined) return make();
  const ofSchema = known.get(schema) ?? new Map<string, T>();
  known.set(schema, ofSchema);
  const made = ofSchema.get(name) ?? make();
  ofSchema.set(name, made);
  return made;
}
