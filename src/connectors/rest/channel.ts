import type { StoredObject } from "../../catalog/kind.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { CompressedEndpoint } from "../../http/content/compress.ts";
import { TaggedEndpoint } from "../../http/content/conditional.ts";
import { StaticFilesEndpoint, type StaticFilesOptions } from "../../http/content/static-files.ts";
import { CorsPolicy } from "../../http/cors.ts";
import {
  CachedEndpoint,
  ResponseCache,
  type ResponseCacheSpec,
} from "../../http/response-cache.ts";
import { keyPolicy } from "../../http/channel-fields.ts";
import { paramNames, parsePathTemplate, type PathTemplate } from "../../http/path-template.ts";
import type { HttpEndpoint, Route, RouteEntry } from "../../http/route.ts";
import type { Service } from "../../service/define-service.ts";
import type { HttpChannelDriver, HttpChannelHost, PreparedHttpChannel } from "../contract.ts";
import { compileEndpoint } from "./compile-endpoint.ts";
import { describeChannel } from "./description.ts";
import { LimitedHeadersEndpoint } from "./header-limits.ts";
import { restChannel, type RestChannelSpec } from "./index.ts";

/** Brings RestChannel objects to life. */
export const driver: HttpChannelDriver = {
  prepare(object: StoredObject): PreparedHttpChannel {
    const spec = restChannel.schema.parse(object.spec);
    const template = templateOf(spec.path);
    const cors = spec.cors && new CorsPolicy(spec.cors);
    const answers = spec.cache && new KeptAnswers(keptBy(spec, spec.cache));
    return {
      routes(host: HttpChannelHost): readonly RouteEntry<Route>[] {
        if (!spec.active) return [];
        const parts = { object, spec, template, host, cors, answers };
        return spec.files === undefined ? serviceRoutes(parts) : fileRoutes(parts);
      },
    };
  },
};

/** What clients accept tells answers apart where it chooses among formats, or channels. */
function keptBy({ output, accept }: RestChannelSpec, spec: ResponseCacheSpec): ResponseCacheSpec {
  const varies = typeof output !== "string" || accept !== undefined;
  return varies ? { ...spec, vary: [...spec.vary, "Accept"] } : spec;
}

interface ChannelParts {
  readonly object: StoredObject;
  readonly spec: RestChannelSpec;
  readonly template: PathTemplate;
  readonly host: HttpChannelHost;
  readonly cors: CorsPolicy | undefined;
  readonly answers: KeptAnswers | undefined;
}

/** Answers outlive configurations, but not the code that made them. */
class KeptAnswers {
  readonly #spec: ResponseCacheSpec;
  #maker: unknown;
  #cache: ResponseCache;

  constructor(spec: ResponseCacheSpec) {
    this.#spec = spec;
    this.#cache = new ResponseCache(spec);
  }

  /** The answers that were made by `maker`. */
  of(maker: unknown): ResponseCache {
    if (maker !== this.#maker) this.#cache = new ResponseCache(this.#spec);
    this.#maker = maker;
    return this.#cache;
  }
}

function serviceRoutes(parts: ChannelParts): readonly RouteEntry<Route>[] {
  const { spec, host } = parts;
  const runnable = host.service(spec.service!); // the schema wants one where there are no files
  const { service } = runnable;
  const endpoint = compileEndpoint(runnable, spec);
  const target = routeOf(parts, endpoint, service);
  return [{
    ...placeOf(parts),
    methods: methodsOf(spec, service),
    target: spec.documented
      ? { ...target, describe: () => describeChannel(spec, service) }
      : target,
  }];
}

/** Methods that both the channel and the service take. */
function methodsOf({ methods }: RestChannelSpec, service: Service): readonly string[] {
  const own = service.methods;
  if (own === undefined) return methods;
  const both = methods.filter((method) => own.includes(method));
  if (both.length > 0) return both;
  const reason =
    `The channel takes ${methods.join(", ")}, of which the service "${service.name}" ` +
    `has none; it has ${own.join(", ")}`;
  throw new PlatformError("CHANNEL_UNUSABLE", { reason });
}

function fileRoutes(parts: ChannelParts): readonly RouteEntry<Route>[] {
  const { spec, template } = parts;
  const files = spec.files!; // asked for by the caller
  const { directory, file, index, cacheControl, fallback, dotFiles } = files;
  const options: StaticFilesOptions = directory === undefined
    ? { file: file!, cacheControl } // the schema wants one of both
    : { directory, index, cacheControl, fallback, dotFiles };
  const target = routeOf(parts, new StaticFilesEndpoint(options), undefined);
  const entry = { ...placeOf(parts), methods: ["GET"], takesDirectories: true, target };
  const base = spec.path.slice(0, spec.path.lastIndexOf("/"));
  if (template.isStatic || base === "") return [entry];
  // The path without its slash leads to the directory itself.
  const bare = { ...target, paramNames: paramNames(templateOf(base)) };
  return [entry, {
    ...entry,
    template: templateOf(base),
    target: { ...bare, endpoint: new BareDirectoryEndpoint(bare.endpoint) },
  }];
}

/** Takes the values of a path that goes on before the wildcard for what they are: not its own. */
class BareDirectoryEndpoint implements HttpEndpoint {
  readonly #inner: HttpEndpoint;

  constructor(inner: HttpEndpoint) {
    this.#inner = inner;
  }

  answer(exchange: Parameters<HttpEndpoint["answer"]>[0]): Promise<Response> {
    exchange.paramValues = [];
    return this.#inner.answer(exchange);
  }
}

function placeOf({ spec, template }: ChannelParts) {
  return { template, host: spec.host, accept: spec.accept };
}

function routeOf(
  { object, spec, template, host, cors, answers }: ChannelParts,
  endpoint: HttpEndpoint,
  service: Service | undefined,
): Route {
  const cache = answers?.of(service);
  return {
    channel: { kind: object.kind, name: object.name },
    service: service?.name ?? "",
    paramNames: paramNames(template),
    guard: host.guard(spec.security),
    roles: spec.roles,
    limits: host.rateLimits(spec.rateLimits),
    cors,
    isAudited: spec.audit,
    keys: keyPolicy(spec),
    timeoutMs: spec.timeoutMs ?? service?.timeoutMs ?? host.limits.requestMs,
    bodyBytesMax: spec.bodyBytesMax ?? host.limits.bodyBytes,
    keepsBody: service?.rawBody ?? false,
    stats: host.stats,
    endpoint: decorate(cache === undefined ? endpoint : new CachedEndpoint(endpoint, cache), spec),
  };
}

/** Composes what the channel asks for around its endpoint; the last one meets requests first. */
function decorate(endpoint: HttpEndpoint, spec: RestChannelSpec): HttpEndpoint {
  const { headersMax, headerBytesMax } = spec;
  let outer = endpoint;
  if (spec.etag) outer = new TaggedEndpoint(outer);
  if (spec.compress) outer = new CompressedEndpoint(outer);
  if (headersMax !== undefined || headerBytesMax !== undefined) {
    outer = new LimitedHeadersEndpoint(outer, { headersMax, headerBytesMax });
  }
  return outer;
}

function templateOf(path: string): PathTemplate {
  const template = parsePathTemplate(path);
  if (typeof template !== "string") return template;
  throw new PlatformError("CHANNEL_UNUSABLE", { reason: template });
}
