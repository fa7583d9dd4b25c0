import type { Guard } from "../security/guard.ts";
import type { ChannelInfo, ServiceRuntime } from "../service/call.ts";
import type { CorsPolicy } from "./cors.ts";
import type { Exchange } from "./exchange.ts";
import type { KeyPolicy } from "./idempotency/key-ledger.ts";
import type { EndpointDescription } from "./openapi/description.ts";
import type { PathTemplate } from "./path-template.ts";
import type { ProblemAnswer } from "./problem.ts";
import type { RouteLimits } from "./rate-limit/rate-limits.ts";
import type { RouteStats } from "./route-stats.ts";

/** A channel over HTTP, ready to serve: what all of its requests share. */
export interface Route {
  readonly channel: ChannelInfo;
  /** The service behind it, for the log; several are joined by commas. */
  readonly service: string;
  /** Names of the path's `{name}` parts, in order. */
  readonly paramNames: readonly string[];
  /** Undefined: `security: none`. */
  readonly guard: Guard | undefined;
  /** Of which a client must have one; undefined where whoever the guard lets in will do. */
  readonly roles?: readonly string[] | undefined;
  /** How often clients may come; undefined: as often as they like. */
  readonly limits?: RouteLimits | undefined;
  /** What pages of other origins may do; undefined: nothing. */
  readonly cors?: CorsPolicy | undefined;
  /** True: every request is a line in the log. */
  readonly isAudited?: boolean;
  /** Undefined: a key may come or not, and what is unknown is not repeated. */
  readonly keys?: KeyPolicy | undefined;
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
  /** True when `ctx.request.rawBody` can be asked for. */
  readonly keepsBody: boolean;
  readonly stats: RouteStats;
  readonly endpoint: HttpEndpoint;
  /** What documents say of it; absent for what no document shows. */
  describe?(): EndpointDescription;
}

/** What one protocol over HTTP makes of requests that reached a channel. */
export interface HttpEndpoint {
  /**
   * Takes a request to its answer. Calls `exchange.once.begin()`, where there is such, before it
   * calls a service. Rejects with AnsweredBefore, and whatever `toProblem` translates.
   */
  answer(exchange: Exchange): Promise<Response>;
  /** What a failure looks like on the wire. Default: problem details (RFC 9457). */
  failure?(exchange: Exchange, answer: ProblemAnswer): Response;
}

/** A target and where it is found. */
export interface RouteEntry<T> {
  readonly template: PathTemplate;
  readonly methods: readonly string[];
  /** In lower case, without a port; `*.example.com` is every host below it. Absent: every host. */
  readonly host?: string | undefined;
  /** The media type that clients must accept, such as `text/csv`. Absent: whatever they accept. */
  readonly accept?: string | undefined;
  /** The wildcard at the end also takes nothing, and what ends in a slash: directories. */
  readonly takesDirectories?: boolean;
  readonly target: T;
}

/** Finds the targets of a path. Immutable: a new set of channels is a new router. */
export interface Router<T> {
  /**
   * `path` is as the client sent it, without the query; `headers` say the host. Of the targets
   * whose path fits, the most specific one is found: those of the very host before those of
   * `*.host`, longer ones first, before those of any host; then, segment by segment, literals
   * before `{name:type}`, narrower types first, before `{name}` before `{name*}`. The names of
   * channels do not matter. A static path costs one look-up; others are walked, independent of how
   * many channels there are. Throws REQUEST_MALFORMED and REQUEST_PATH_LENGTH for paths that no
   * honest client sends.
   */
  find(path: string, headers?: Headers): RouteMatch<T> | undefined;
}

/** A target for clients that accept a media type. */
export interface Variant<T> {
  readonly accept: string;
  readonly target: T;
}

/** What a path leads to, whatever the method. */
export interface RouteMatch<T> {
  /** Method -> target. */
  readonly targets: ReadonlyMap<string, T>;
  /** Method -> targets that want a media type accepted; absent where none does. */
  readonly variants?: ReadonlyMap<string, readonly Variant<T>[]> | undefined;
  /** Decoded values of the template's `{name}` parts, in order; empty for a static path. */
  readonly values: readonly string[];
}

/** Everything that HTTP needs of one configuration. Immutable: the next one replaces it whole. */
export interface Generation {
  readonly router: Router<Route>;
  /** What the router was made of. */
  readonly entries: readonly RouteEntry<Route>[];
  readonly runtime: ServiceRuntime;
}
