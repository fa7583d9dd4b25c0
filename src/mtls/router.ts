import { PlatformError } from "../errors/platform-error.ts";
import { didYouMean } from "../lib/nearest-name.ts";
import type { Route } from "./json-api.ts";

/** A route that a request meets, with the values of its `:name` parts. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route of a request. Throws MTLS_UNKNOWN_PATH, MTLS_WRONG_METHOD. */
export type Router = (method: string, path: string) => RouteMatch;

/** A literal part of a path goes before a `:name`. */
export function createRouter(routes: readonly Route[]): Router {
  const table = routes.map((route) => ({ route, parts: route.path.split("/") }))
    .sort((a, b) => rank(a.parts).localeCompare(rank(b.parts)));
  return (method, path) => {
    const wanted = path.split("/");
    const found: RouteMatch[] = [];
    for (const { route, parts } of table) {
      const params = matchParts(parts, wanted);
      if (params !== undefined) found.push({ route, params });
    }
    const match = found.find(({ route }) => route.method === method);
    if (match !== undefined) return match;
    if (found.length === 0) throw unknownPath(path, routes);
    const allowed = [...new Set(found.map(({ route }) => route.method))].join(", ");
    throw new PlatformError("MTLS_WRONG_METHOD", { path, method, allowed }, {
      details: { allowed },
    });
  };
}

/** Sorts `/a/b` before `/a/:x` before `/:x/b`. */
function rank(parts: readonly string[]): string {
  return parts.map((part) => (part.startsWith(":") ? "1" : "0")).join("");
}

function matchParts(
  parts: readonly string[],
  wanted: readonly string[],
): Record<string, string> | undefined {
  if (parts.length !== wanted.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const text = wanted[index]!;
    if (part.startsWith(":")) {
      const value = decode(text);
      if (value === undefined || value === "") return undefined;
      params[part.slice(1)] = value;
    } else if (part !== text) return undefined;
  }
  return params;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // not percent-encoding, so not a name of anything
  }
}

function unknownPath(path: string, routes: readonly Route[]): PlatformError {
  const hint = didYouMean(path, new Set(routes.map((route) => route.path)));
  return new PlatformError("MTLS_UNKNOWN_PATH", { path, hint });
}
