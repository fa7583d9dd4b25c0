import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { runService, validate } from "../../service/run-service.ts";
import { describeIssues } from "../../service/schema.ts";
import { isServiceError } from "../../service/service-error.ts";
import { bodyFormat, decodeText, hasBody, parseJson, readBytes, readJson } from "./body.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Exchange } from "./exchange.ts";
import { assembleInput, readForm } from "./input.ts";
import type { Route } from "./route.ts";
import type { RouteMatch } from "./router.ts";

/** The route for a method; HEAD is answered as GET where nothing else takes it. */
export function routeFor(match: RouteMatch<Route>, method: string): Route | undefined {
  const route = match.targets.get(method);
  return route === undefined && method === "HEAD" ? match.targets.get("GET") : route;
}

/** The value of `Allow` for a path. */
export function allowedMethods(match: RouteMatch<Route>): string {
  const methods = new Set(match.targets.keys());
  if (methods.has("GET")) methods.add("HEAD");
  methods.add("OPTIONS");
  return [...methods].sort().join(", ");
}

/**
 * Takes a matched request through security, body, decoding, coercion, validation and service to
 * the service's output. Waits only where it must. Rejects with what `toProblem` translates.
 */
export async function runPipeline(
  exchange: Exchange,
  route: Route,
  deadlines: Deadlines,
): Promise<unknown> {
  const { guard, runnable, timeoutMs } = route;
  if (guard !== undefined) {
    const checking = guard.check(exchange.headers, exchange);
    exchange.principal = checking instanceof Promise ? await checking : checking;
    if (exchange.principal === undefined) throw new PlatformError("REQUEST_UNAUTHORIZED");
  }
  exchange.startDeadline(deadlines, timeoutMs);
  const body = hasBody(exchange.web, exchange.headers)
    ? await exchange.within(
      receiveBody(exchange, route),
      () => new PlatformError("REQUEST_BODY_SLOW", { timeoutMs }),
    )
    : undefined;
  const checking = validate(runnable.service.input, assembleInput(exchange, route, body));
  const checked = checking instanceof Promise ? await checking : checking;
  if (checked.issues !== undefined) {
    throw new PlatformError("REQUEST_INPUT_INVALID", {}, {
      details: { errors: describeIssues(checked.issues) },
    });
  }
  try {
    const running = runService(runnable, checked.value, exchange);
    if (!(running instanceof Promise)) return running;
    return await exchange.within(
      running,
      () => new PlatformError("REQUEST_TIMEOUT", { timeoutMs }),
    );
  } catch (error) {
    throw serviceFailure(error, runnable.service.name);
  }
}

async function receiveBody(exchange: Exchange, route: Route): Promise<unknown> {
  const { web, headers } = exchange;
  const format = bodyFormat(headers);
  const limit = route.bodyBytesMax;
  const { rawBody } = route.runnable.service;
  try {
    if (format === "json" && !rawBody) return await readJson(web, headers, limit);
    const bytes = await readBytes(web, headers, limit);
    if (rawBody) exchange.body = bytes;
    const text = decodeText(bytes);
    return format === "json" ? parseJson(text) : readForm(text, route);
  } catch (error) {
    // A compressed body is not what its content type says, which is only looked at when it fails.
    if (headers.get("content-encoding") !== null) throw new PlatformError("REQUEST_CONTENT_TYPE");
    throw error;
  }
}

/**
 * What a service's error means for its caller. Only a ServiceError speaks to the caller; an error
 * of the platform that a service let through says "input is wrong" of another input, not of this
 * caller's.
 */
export function serviceFailure(error: unknown, service: string): unknown {
  if (isServiceError(error) || isPlatformError(error, "REQUEST_TIMEOUT")) return error;
  if (isPlatformError(error) && (error.kind === "bug" || error.kind === "peer")) return error;
  return new PlatformError("SERVICE_FAILED", { service, reason: reasonOf(error) }, {
    cause: error,
  });
}
