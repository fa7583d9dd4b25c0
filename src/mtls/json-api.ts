import type { Identity, Role } from "./identity.ts";

export type Method = "GET" | "PUT" | "POST" | "DELETE";

export interface ApiRequest {
  /** Who calls, proven by certificate. */
  readonly peer: Identity;
  /** Values of the path's `:name` parts, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed JSON body; undefined when there was none. */
  readonly body: unknown;
  /** Aborted when the caller hangs up. */
  readonly signal: AbortSignal;
}

/** One operation of a JSON API. What `handle` returns is sent as JSON; undefined is 204. */
export interface Route {
  readonly method: Method;
  /** `/v1/servers/:name` */
  readonly path: string;
  /** Who may call. */
  readonly roles: readonly Role[];
  handle(request: ApiRequest): unknown;
}
