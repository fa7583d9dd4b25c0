import { PlatformError } from "../errors/platform-error.ts";
import type { ServiceContext } from "./context/service-context.ts";
import type { ServiceHooks } from "./running/hooks.ts";
import { RunningCalls } from "./running/running-calls.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";

// Symbol.for: a bundle may carry another copy of this module, and its services are services too.
const brand: unique symbol = Symbol.for("dragoman.service");

/** A handler for one method of HTTP. */
export type VerbHandler<I extends Schema, O extends Schema> = (
  ctx: ServiceContext<SchemaOutput<I>>,
) => SchemaInput<O> | Promise<SchemaInput<O>>;

/**
 * Handlers by method of HTTP, beside `handle` or instead of it. The request's method picks; a
 * method that has none is for `handle`, and HEAD for `get` before that. Calls that are not HTTP
 * requests, such as those of other services, are for `handle` alone.
 */
export interface VerbHandlers<I extends Schema, O extends Schema> {
  readonly get?: VerbHandler<I, O>;
  readonly post?: VerbHandler<I, O>;
  readonly put?: VerbHandler<I, O>;
  readonly patch?: VerbHandler<I, O>;
  readonly delete?: VerbHandler<I, O>;
  readonly head?: VerbHandler<I, O>;
  readonly options?: VerbHandler<I, O>;
}

/** What a service author writes: how it is called, what bounds it, and its hooks. */
export interface ServiceDefinition<I extends Schema, O extends Schema, R>
  extends
    VerbHandlers<I, O>,
    ServiceHooks<SchemaOutput<I>, SchemaInput<O>, OutputOf<O, unknown>>,
    ServiceLimits {
  /** Unique in the cluster, such as `crm.customer.get`. */
  readonly name: string;
  /** One sentence for consoles and documents. */
  readonly description?: string;
  /** What the service takes. Without it, `ctx.input` is whatever the caller sent. */
  readonly input?: I;
  /** What the service returns; a result that does not match is an error of the service. */
  readonly output?: O;
  /**
   * True keeps the bytes of request bodies for `ctx.request.rawBody`, for signatures over them.
   * Default false: parsing is faster without.
   */
  readonly rawBody?: boolean;
  /**
   * True leaves request bodies unread: `ctx.request.body` is a stream of bytes, and the input comes
   * from path and query only. Default false.
   */
  readonly streamBody?: boolean;
  /** Answers calls. May be left out where there are handlers for methods. */
  handle?(ctx: ServiceContext<SchemaOutput<I>>): R;
}

/** What bounds a service; the ServiceSettings object of the service goes before each of them. */
export interface ServiceLimits {
  /**
   * Longest time a call may take, whoever makes it; never later than the caller's own deadline. A
   * channel's own `timeoutMs` goes before it.
   */
  readonly timeoutMs?: number | undefined;
  /** A call that takes longer than this is logged as a warning. Default: none is. */
  readonly slowMs?: number | undefined;
  /** How many calls run at the same time in one worker. Default: any number. */
  readonly maxConcurrent?: number | undefined;
  /** How many wait while `maxConcurrent` run; others get SERVICE_BUSY (503). Default 100. */
  readonly queueMax?: number | undefined;
}

/** A service: a plain frozen object. `Input` is what callers give, `Output` what they get. */
export interface Service<Input = unknown, Output = unknown> extends ServiceLimits {
  readonly [brand]: true;
  readonly name: string;
  readonly description: string;
  readonly input: Schema | undefined;
  readonly output: Schema | undefined;
  readonly timeoutMs: number | undefined;
  readonly slowMs: number | undefined;
  readonly maxConcurrent: number | undefined;
  readonly queueMax: number | undefined;
  readonly rawBody: boolean;
  readonly streamBody: boolean;
  /**
   * The methods of HTTP that it has handlers for, where it has no `handle` for all others;
   * undefined: any method.
   */
  readonly methods: readonly string[] | undefined;
  /** Handlers by method, such as `GET`; undefined when there are none. */
  readonly verbs: ReadonlyMap<string, (ctx: ServiceContext) => unknown> | undefined;
  /** Undefined when it has none, so that calls need not look for each. */
  readonly hooks: ServiceHooks | undefined;
  /** Its calls that run; counted only where `onStop` waits for them. */
  readonly running: RunningCalls | undefined;
  /** For calls that are not HTTP requests, and methods without a handler of their own. */
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

const verbNames = ["get", "post", "put", "patch", "delete", "head", "options"] as const;
const hookNames = ["onStart", "onStop", "before", "after", "onError"] as const;

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
  const { name, description = "", input, output } = definition;
  if (typeof name !== "string" || !namePattern.test(name)) {
    throw invalid(
      String(name),
      "the name is not made of letters, digits, dots, dashes, underscores",
    );
  }
  // Their input has been through the schema by the time handlers and hooks are called.
  const given = definition as unknown as ServiceDefinition<Schema, Schema, unknown>;
  for (const field of ["handle", ...verbNames, ...hookNames] as const) {
    if (given[field] !== undefined && typeof given[field] !== "function") {
      throw invalid(name, `${field} is not a function`);
    }
  }
  for (const [field, schema] of Object.entries({ input, output })) {
    if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function") {
      throw invalid(name, `${field} is not a schema`);
    }
  }
  const verbs = verbsOf(given);
  if (definition.handle === undefined && verbs === undefined) {
    throw invalid(name, "it has neither handle nor a handler for a method, such as get");
  }
  const { rawBody = false, streamBody = false } = definition;
  if (rawBody && streamBody) throw invalid(name, "rawBody and streamBody exclude each other");
  const methods = definition.handle === undefined ? [...verbs!.keys()] : undefined;
  return Object.freeze({
    [brand]: true as const,
    name,
    description,
    input,
    output,
    ...limitsOf(given),
    rawBody,
    streamBody,
    methods,
    verbs,
    ...hooksOf(given),
    handle: given.handle === undefined
      ? () => {
        throw new PlatformError("SERVICE_NO_HANDLER", {
          service: name,
          methods: methods!.join(", "), // there are verbs where there is no handle
        });
      }
      : (ctx: ServiceContext) => given.handle!(ctx), // a method: it may use `this`
  });
}

/** True for a service made by any copy of this module. */
export function isService(value: unknown): value is Service {
  return typeof value === "object" && value !== null && brand in value;
}

function verbsOf(given: ServiceDefinition<Schema, Schema, unknown>): Service["verbs"] {
  const verbs = new Map<string, (ctx: ServiceContext) => unknown>();
  for (const verb of verbNames) {
    if (given[verb] !== undefined) verbs.set(verb.toUpperCase(), (ctx) => given[verb]!(ctx));
  }
  return verbs.size === 0 ? undefined : verbs;
}

function hooksOf(
  given: ServiceDefinition<Schema, Schema, unknown>,
): Pick<Service, "hooks" | "running"> {
  const hasHooks = hookNames.some((name) => given[name] !== undefined);
  const running = given.onStop === undefined ? undefined : new RunningCalls();
  return { hooks: hasHooks ? given : undefined, running };
}

function limitsOf(
  { name, timeoutMs, slowMs, maxConcurrent, queueMax }: ServiceDefinition<Schema, Schema, unknown>,
): Required<ServiceLimits> {
  for (const [field, value] of Object.entries({ timeoutMs, slowMs, maxConcurrent })) {
    if (value !== undefined && !(value > 0)) {
      throw invalid(name, `${field} is ${value}, not a number above 0`);
    }
  }
  if (queueMax !== undefined && !(queueMax >= 0)) {
    throw invalid(name, `queueMax is ${queueMax}, not a number from 0`);
  }
  return { timeoutMs, slowMs, maxConcurrent, queueMax };
}

function invalid(name: string, reason: string): PlatformError {
  return new PlatformError("SERVICE_INVALID", { name, reason });
}
