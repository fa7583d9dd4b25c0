import { PlatformError } from "../errors/platform-error.ts";
import type { ServiceContext } from "./context.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";

// Symbol.for: a bundle may carry another copy of this module, and its services are services too.
const brand: unique symbol = Symbol.for("dragoman.service");

/** What a service author writes. */
export interface ServiceDefinition<I extends Schema, O extends Schema, R> {
  /** Unique in the cluster, such as `crm.customer.get`. */
  readonly name: string;
  /** One sentence for consoles and documents. */
  readonly description?: string;
  /** What the service takes. Without it, `ctx.input` is whatever the caller sent. */
  readonly input?: I;
  /** What the service returns; a result that does not match is an error of the service. */
  readonly output?: O;
  /** Longest time a call may take. A channel's own `timeoutMs` goes before it. */
  readonly timeoutMs?: number;
  /**
   * True keeps the bytes of request bodies for `ctx.request.rawBody`, for signatures over them.
   * Default false: parsing is faster without.
   */
  readonly rawBody?: boolean;
  handle(ctx: ServiceContext<SchemaOutput<I>>): R;
}

/** A service: a plain frozen object. `Input` is what callers give, `Output` what they get. */
export interface Service<Input = unknown, Output = unknown> {
  readonly [brand]: true;
  readonly name: string;
  readonly description: string;
  readonly input: Schema | undefined;
  readonly output: Schema | undefined;
  readonly timeoutMs: number | undefined;
  readonly rawBody: boolean;
  handle(ctx: ServiceContext): unknown;
  /** Exists for the type checker only. */
  readonly types?: { readonly input: Input; readonly output: Output };
}

// An absent schema: takes anything, and the output's type is what `handle` returns.
type AnyInput = Schema<unknown, unknown>;
type AnyOutput = Schema<unknown, { readonly [brand]: "any" }>;
type OutputOf<O extends Schema, R> = SchemaOutput<O> extends { readonly [brand]: "any" }
  ? Awaited<R>
  : SchemaOutput<O>;

/** Letters, digits, dots, dashes and underscores, beginning with a letter or digit; at most 200. */
const namePattern = /^[a-z0-9][a-z0-9._-]{0,199}$/i;

/**
 * Makes a service. Export it from a file that is deployed, and channels can expose it.
 * Throws SERVICE_INVALID when the definition is not usable.
 */
export function defineService<
  I extends Schema = AnyInput,
  O extends Schema = AnyOutput,
  R extends SchemaInput<O> | Promise<SchemaInput<O>> =
    | SchemaInput<O>
    | Promise<SchemaInput<O>>,
>(definition: ServiceDefinition<I, O, R>): Service<SchemaInput<I>, OutputOf<O, R>> {
  const { name, description = "", input, output, timeoutMs, rawBody = false } = definition;
  if (typeof name !== "string" || !namePattern.test(name)) {
    throw invalid(
      String(name),
      "the name is not made of letters, digits, dots, dashes, underscores",
    );
  }
  if (typeof definition.handle !== "function") throw invalid(name, "handle is not a function");
  for (const [field, schema] of Object.entries({ input, output })) {
    if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function") {
      throw invalid(name, `${field} is not a schema`);
    }
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw invalid(name, `timeoutMs is ${timeoutMs}, not a number above 0`);
  }
  const handle: Service["handle"] = (ctx) =>
    // Its input has been through the schema by the time a service is called.
    definition.handle(ctx as ServiceContext<SchemaOutput<I>>);
  return Object.freeze({
    [brand]: true as const,
    name,
    description,
    input,
    output,
    timeoutMs,
    rawBody,
    handle,
  });
}

/** True for a service made by any copy of this module. */
export function isService(value: unknown): value is Service {
  return typeof value === "object" && value !== null && brand in value;
}

function invalid(name: string, reason: string): PlatformError {
  return new PlatformError("SERVICE_INVALID", { name, reason });
}
