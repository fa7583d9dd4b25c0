import { PlatformError } from "../errors/platform-error.ts";
import { negotiate } from "../formats/media-type.ts";
import type { Route, RouteMatch } from "./route.ts";

/**
 * The route for a method; HEAD is answered as GET where nothing else takes it. Where routes are
 * told apart by what clients accept, the one whose type the client likes best, else the one for
 * all others. Throws REQUEST_NOT_ACCEPTABLE when there is only what it does not accept.
 */
export function routeFor(
  match: RouteMatch<Route>,
  method: string,
  headers?: Headers,
): Route | undefined {
  if (match.variants !== undefined) {
    const variant = variantFor(match, method, headers?.get("accept") ?? null) ??
      (method === "HEAD" ? variantFor(match, "GET", headers?.get("accept") ?? null) : undefined);
    if (variant !== undefined) return variant;
  }
  const route = match.targets.get(method);
  return route === undefined && method === "HEAD" ? match.targets.get("GET") : route;
}

function variantFor(
  { targets, variants }: RouteMatch<Route>,
  method: string,
  accept: string | null,
): Route | undefined {
  const candidates = variants?.get(method);
  if (candidates === undefined) return undefined;
  const other = targets.get(method);
  // Who says nothing, or takes anything, gets the one that is for everybody, if there is one.
  const isOpen = accept === null || accept.trim() === "" || accept.trim() === "*/*";
  if (isOpen && other !== undefined) return other;
  const types = candidates.map((candidate) => candidate.accept);
  const place = negotiate(accept, types);
  if (place >= 0) return candidates[place]!.target;
  if (other !== undefined) return other;
  throw new PlatformError("REQUEST_NOT_ACCEPTABLE", { types: types.join(", ") });
}

/** The methods of a path, without those that are answered for others. */
function methodsOf({ targets, variants }: RouteMatch<Route>): Set<string> {
  return new Set([...targets.keys(), ...variants?.keys() ?? []]);
}

/** The value of `Allow` for a path. */
export function allowedMethods(match: RouteMatch<Route>): string {
  const methods = methodsOf(match);
  if (methods.has("GET")) methods.add("HEAD");
  methods.add("OPTIONS");
  return [...methods].sort().join(", ");
}
