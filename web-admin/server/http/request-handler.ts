import type { IncomingMessage, ServerResponse } from "node:http";
import { PlatformError } from "../../../src/errors/platform-error.ts";
import { generateToken } from "../../../src/lib/random-secret.ts";
import type { Logger } from "../../../src/telemetry/logger.ts";
import { sendProblem } from "./problem.ts";
import { addressOf, checkCsrf, checkOrigin } from "./request-checks.ts";
import { answered, type ApiRoute, type Call, matchRoute } from "./router.ts";
import { securityHeaders } from "./security-headers.ts";
import type { SessionCookie } from "./session-cookie.ts";
import type { Session, SessionStore } from "../sessions.ts";
import type { StaticFiles } from "./static-files.ts";

/** What a request may need on its way. */
export interface HandlerParts {
  readonly routes: readonly ApiRoute[];
  readonly files: StaticFiles;
  readonly sessions: SessionStore;
  readonly cookie: SessionCookie;
  readonly behindTls: boolean;
  readonly logger: Logger;
}

/** The console's whole answer to HTTP: `/healthz`, the API under `/api`, and pages elsewhere. */
export function createRequestHandler(
  parts: HandlerParts,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { logger } = parts;
  return async (request, response) => {
    const started = performance.now();
    const cid = generateToken(12);
    const [path = "/"] = (request.url ?? "/").split("?", 1);
    for (const [name, value] of Object.entries(securityHeaders())) {
      if (value !== undefined) response.setHeader(name, value);
    }
    try {
      await answer(parts, { request, response, cid, path });
    } catch (error) {
      if (isNotBuilt(error)) sendNotBuilt(response, error, logger);
      else sendProblem(response, error, { cid, logger });
    }
    const ms = Math.round(performance.now() - started);
    const { statusCode: status } = response;
    logger.debug("request", { method: request.method, path, status, ms, cid });
  };
}

interface Request {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly cid: string;
  readonly path: string;
}

async function answer(parts: HandlerParts, { request, response, cid, path }: Request) {
  const method = request.method ?? "GET";
  if (path.startsWith("/api/")) {
    response.setHeader("Cache-Control", "no-store");
    const { route, params } = matchRoute(parts.routes, method, path);
    const address = addressOf(request, parts.behindTls);
    const result = await invoke(parts, route, { request, response, params, cid, address });
    if (result !== answered) sendJson(response, result);
    return;
  }
  if (method !== "GET" && method !== "HEAD") {
    throw new PlatformError("WEB_ADMIN_METHOD", { path, method });
  }
  if (path === "/healthz") {
    response.setHeader("Cache-Control", "no-store");
    sendJson(response, { state: "up" });
    return;
  }
  await parts.files.send(path, request, response);
}

function invoke(parts: HandlerParts, route: ApiRoute, call: Call): unknown {
  const isChange = route.method !== "GET";
  if (isChange) checkOrigin(call.request);
  if (route.access === "anyone") return route.handle(call);
  const session = requireSession(parts, call.request);
  if (isChange) checkCsrf(call.request, session);
  return route.handle(call, session);
}

function requireSession({ sessions, cookie }: HandlerParts, request: IncomingMessage): Session {
  const token = cookie.read(request);
  const session = token === undefined ? undefined : sessions.find(token);
  if (session === undefined) throw new PlatformError("WEB_ADMIN_NO_SESSION");
  return session;
}

function sendJson(response: ServerResponse, value: unknown): void {
  if (value === undefined) {
    response.writeHead(204).end();
    return;
  }
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

function isNotBuilt(error: unknown): error is PlatformError {
  return error instanceof PlatformError && error.code === "WEB_ADMIN_NOT_BUILT";
}

// Somebody who just cloned the repository reads this in a browser, so it is a page.
function sendNotBuilt(response: ServerResponse, error: PlatformError, logger: Logger): void {
  logger.error(error.message, { advice: error.advice });
  const command = "<code>npm run build -w web-admin</code>";
  const text = `The pages of the web admin are not built yet. Run ${command}, then reload.`;
  response.writeHead(error.status, {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
  });
  response.end(`<!doctype html><title>Dragoman</title><h1>Not built</h1><p>${text}</p>`);
}
