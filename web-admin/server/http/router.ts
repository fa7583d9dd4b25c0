import type { IncomingMessage, ServerResponse } from "node:http";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import type { Session } from "../sessions.ts";

/** One request to the API of the console. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Values of the path's `:name` parts, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly cid: string;
  /** The caller's IP address. */
  readonly address: string;
}

interface PublicRoute {
  readonly access: "anyone";
  handle(call: Call): unknown;
}

interface SessionRoute {
  readonly access: "session";
  handle(call: Call, session: Session): unknown;
}

/**
 * One operation. What `handle` returns is sent as JSON, undefined as 204, and nothing is sent for
 * `answered`. A route for people who are logged in gets their session.
 */
export type ApiRoute =
  & { readonly method: "GET" | "POST"; readonly path: string }
  & (PublicRoute | SessionRoute);

/** Returned by a handler that has written its answer itself. */
export const answered: unique symbol = Symbol("answered");

export interface Match {
  readonly route: ApiRoute;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Finds the route of a request. Throws WEB_ADMIN_NO_ROUTE, or WEB_ADMIN_METHOD when only the
 * method is wrong.
 */
export function matchRoute(routes: readonly ApiRoute[], method: string, path: string): Match {
  const found = routes.flatMap((route) => {
    const params = matchPath(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  });
  if (found.length === 0) throw new PlatformError("WEB_ADMIN_NO_ROUTE", { path });
  const match = found.find(({ route }) => route.method === method);
  if (match === undefined) throw new PlatformError("WEB_ADMIN_METHOD", { path, method });
  return match;
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (!part.startsWith(":")) {
      if (part !== value) return undefined;
      continue;
    }
    try {
      params[part.slice(1)] = decodeURIComponent(value);
    } catch {
      return undefined; // a stray percent sign names nothing
    }
  }
  return params;
}
