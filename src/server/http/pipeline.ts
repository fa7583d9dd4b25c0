import { isPlatformError, PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { runService, validate } from "../../service/run-service.ts";
import { describeIssues } from "../../service/schema.ts";
import { isServiceError } from "../../service/service-error.ts";
import {
  announcedBytes,
  bodyFailure,
  bodyFormat,
  decodeText,
  readBytes,
  refusePrototypeKeys,
} from "./body.ts";
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
  let body: unknown;
  const announced = announcedBytes(exchange.web, exchange.headers);
  if (announced !== 0) {
    exchange.isReadingBody = true;
    try {
      body = await receiveBody(exchange, route, announced);
    } catch (error) {
      throw bodyFailure(error, exchange.headers);
    }
    refusePrototypeKeys(body);
    exchange.isReadingBody = false;
  }
  const checking = validate(runnable.service.input, assembleInput(exchange, route, body));
  const checked = checking instanceof Promise ? await checking : checking;
  if (checked.issues !== undefined) {
    throw new PlatformError("REQUEST_INPUT_INVALID", {}, {
      details: { errors: describeIssues(checked.issues) },
    });
  }
  try {
    const running = runService(runnable, checked.value, exchange);
    return running instanceof Promise ? await running : running;
  } catch (error) {
    throw serviceFailure(error, runnable.service.name);
  }
}

// Not async: most requests need one promise, the engine's own.
function receiveBody(
  exchange: Exchange,
  route: Route,
  announced: number | undefined,
): Promise<unknown> {
  const { web, headers } = exchange;
  const limit = route.bodyBytesMax;
  if (announced !== undefined && announced > limit) {
    throw new PlatformError("REQUEST_BODY_SIZE", { limit });
  }
  const format = bodyFormat(headers);
  const { rawBody } = route.runnable.service;
  if (format === "json" && !rawBody && announced !== undefined) return web.json();
  return readBytes(web, announced, limit).then((bytes) => {
    if (rawBody) exchange.body = bytes;
    const text = decodeText(bytes);
    return format === "json" ? JSON.parse(text) : readForm(text, route);
  });
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
