import { z } from "zod";
import type { StoredObject } from "../../catalog/kind.ts";
import { parsePathTemplate, type PathTemplate } from "../../connectors/rest/path-template.ts";
import { restChannel, type RestChannelSpec } from "../../connectors/rest/index.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { BasicAuthChecker } from "../../security/basic-auth.ts";
import type { ClusterKey } from "../../security/cluster-key.ts";
import {
  apiKeyDefinition,
  compileGuard,
  type Guard,
  type GuardDefinition,
} from "../../security/guard.ts";
import { PasswordChecks } from "../../security/password-checks.ts";
import type { RunnableService, ServiceRuntime } from "../../service/call.ts";
import type { Schema } from "../../service/schema.ts";
import { compileTextInput, type TextInput } from "../../service/text-input.ts";
import { type Generation, type Route, RouteStats } from "../http/route.ts";
import { compileRouter, type RouteEntry } from "../http/router.ts";
import type { Failure } from "./bundle-set.ts";

export interface CompilerOptions {
  readonly key: ClusterKey;
  readonly limits: { readonly requestMs: number; readonly bodyBytes: number };
}

/** What came of a set of objects. */
export interface Compiled {
  readonly generation: Generation;
  /** Objects that did not come to life; their neighbours did. */
  readonly failures: readonly Failure[];
}

/** An object by itself, checked once for as long as it stays the same. */
type Prepared =
  | { readonly type: "channel"; readonly spec: RestChannelSpec; readonly template: PathTemplate }
  | { readonly type: "security"; readonly definition: GuardDefinition }
  | { readonly type: "failed"; readonly error: string };

/**
 * Turns objects and services into what serves requests. Keeps what it learnt about an object from
 * one generation to the next: parsed specs, credentials seen, figures of channels.
 */
export class GenerationCompiler {
  readonly #options: CompilerOptions;
  readonly #checks = new PasswordChecks();
  readonly #prepared = new WeakMap<StoredObject, Prepared>();
  readonly #stats = new Map<string, RouteStats>();
  readonly #textInputs = new WeakMap<Schema, TextInput>();

  constructor(options: CompilerOptions) {
    this.#options = options;
  }

  compile(objects: Iterable<StoredObject>, runtime: ServiceRuntime): Compiled {
    const failures: Failure[] = [];
    const channels: StoredObject[] = [];
    const guards = new GuardSet(this.#options.key, this.#checks);
    for (const object of objects) {
      const prepared = this.#prepare(object);
      if (prepared.type === "channel") channels.push(object);
      if (prepared.type === "security") guards.add(prepared.definition);
      if (prepared.type === "failed") failures.push(failureOf(object, prepared.error));
    }
    const entries: RouteEntry<Route>[] = [];
    for (const object of channels) {
      try {
        const entry = this.#compileChannel(object, { guards, runtime });
        if (entry !== undefined) entries.push(entry);
      } catch (error) {
        failures.push(failureOf(object, reasonOf(error)));
      }
    }
    this.#forgetStats(new Set(channels.map(({ name }) => name)));
    return { generation: { router: compileRouter(entries), runtime }, failures };
  }

  #prepare(object: StoredObject): Prepared {
    const known = this.#prepared.get(object);
    if (known !== undefined) return known;
    let prepared: Prepared;
    try {
      prepared = prepare(object, this.#options.key);
    } catch (error) {
      prepared = { type: "failed", error: describe(error) };
    }
    this.#prepared.set(object, prepared);
    return prepared;
  }

  #compileChannel(
    object: StoredObject,
    { guards, runtime }: { readonly guards: GuardSet; readonly runtime: ServiceRuntime },
  ): RouteEntry<Route> | undefined {
    const prepared = this.#prepare(object);
    if (prepared.type !== "channel" || !prepared.spec.active) return undefined;
    const { spec, template } = prepared;
    const runnable = runtime.services.get(spec.service);
    if (runnable === undefined) throw unusable(`The service "${spec.service}" is not deployed`);
    const guard = spec.security === "none" ? undefined : guards.guard(spec.security);
    const target: Route = {
      channel: { kind: object.kind, name: object.name },
      paramNames: template.segments.flatMap((part) => part.type === "literal" ? [] : [part.name]),
      runnable,
      textInput: this.#textInput(runnable),
      guard,
      timeoutMs: spec.timeoutMs ?? runnable.service.timeoutMs ?? this.#options.limits.requestMs,
      bodyBytesMax: spec.bodyBytesMax ?? this.#options.limits.bodyBytes,
      stats: this.#statsOf(object.name),
    };
    return { template, methods: spec.methods, target };
  }

  #textInput({ service: { input } }: RunnableService): TextInput {
    if (input === undefined) return compileTextInput(undefined);
    const known = this.#textInputs.get(input);
    if (known !== undefined) return known;
    const made = compileTextInput(input);
    this.#textInputs.set(input, made);
    return made;
  }

  #statsOf(channel: string): RouteStats {
    const known = this.#stats.get(channel);
    if (known !== undefined) return known;
    const made = new RouteStats();
    this.#stats.set(channel, made);
    return made;
  }

  #forgetStats(channels: ReadonlySet<string>): void {
    for (const name of this.#stats.keys()) if (!channels.has(name)) this.#stats.delete(name);
  }
}

/** The guards of one generation; channels with the same list share one. */
class GuardSet {
  readonly #key: ClusterKey;
  readonly #checks: PasswordChecks;
  readonly #definitions = new Map<string, readonly GuardDefinition[]>();
  readonly #guards = new Map<string, Guard>();

  constructor(key: ClusterKey, checks: PasswordChecks) {
    this.#key = key;
    this.#checks = checks;
  }

  add(definition: GuardDefinition): void {
    // Two kinds may have a definition of one name; a channel that names it means either.
    const others = this.#definitions.get(definition.name) ?? [];
    this.#definitions.set(definition.name, [...others, definition]);
  }

  guard(names: readonly string[]): Guard {
    const id = JSON.stringify(names);
    const known = this.#guards.get(id);
    if (known !== undefined) return known;
    const definitions = names.flatMap((name) => {
      const found = this.#definitions.get(name);
      if (found !== undefined) return found;
      throw unusable(`The security definition "${name}" is missing or failed`);
    });
    const made = compileGuard(definitions, { key: this.#key, checks: this.#checks });
    this.#guards.set(id, made);
    return made;
  }
}

function prepare(object: StoredObject, key: ClusterKey): Prepared {
  switch (object.kind) {
    case "RestChannel": {
      const spec = restChannel.schema.parse(object.spec);
      const template = parsePathTemplate(spec.path);
      if (typeof template === "string") throw unusable(template);
      return { type: "channel", spec, template };
    }
    case "ApiKey":
      return { type: "security", definition: apiKeyDefinition(object, key) };
    case "BasicAuth": {
      const checker = new BasicAuthChecker(object);
      return { type: "security", definition: { kind: "BasicAuth", name: object.name, checker } };
    }
    default:
      throw unusable(`This version does not know the kind "${object.kind}"`);
  }
}

function describe(error: unknown): string {
  return error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
}

function failureOf({ kind, name }: StoredObject, error: string): Failure {
  return { kind, name, error };
}

function unusable(reason: string): PlatformError {
  return new PlatformError("CHANNEL_UNUSABLE", { reason });
}
