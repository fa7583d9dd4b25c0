import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import type { Logger } from "../telemetry/logger.ts";
import { readJsonBody } from "./body.ts";
import { EventStream } from "./event-stream.ts";
import { type Identity, renderIdentity } from "./identity.ts";
import type { Route } from "./json-api.ts";
import { acceptCaller } from "./peer.ts";
import { problemContentType, toProblem } from "./problem.ts";
import { createRouter, type Router } from "./router.ts";

export interface ExchangeOptions {
  readonly cluster: string;
  readonly routes: readonly Route[];
  readonly logger: Logger;
  /** Default 32 MiB. */
  readonly maxBodyBytes?: number;
  /** Ends event streams. */
  readonly closing: AbortSignal;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** One request and its response, while it is handled. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly cid: string;
  /** Aborted when the caller hangs up, and when a stream of events is over for another reason. */
  readonly hungUp: AbortController;
  caller?: Identity;
}

/** Makes what answers each request of a JSON server; it never throws. */
export function createExchangeHandler(options: ExchangeOptions): Handler {
  const { logger, closing } = options;
  const router = createRouter(options.routes);
  return async (request, response) => {
    const startedAt = performance.now();
    const exchange = open(request, response);
    const { cid, hungUp } = exchange;
    try {
      const answer = await answerOf(exchange, router, options);
      if (answer instanceof EventStream) {
        const signal = AbortSignal.any([hungUp.signal, closing]);
        await answer.send(response, { signal, cid });
        hungUp.abort(new Error("The stream of events is over")); // what makes them may be waiting
      } else sendJson(response, answer);
    } catch (error) {
      const hasGone = hungUp.signal.aborted || !request.complete;
      const isOurs = isPlatformError(error) ? error.kind === "bug" : !hasGone;
      if (isOurs) logger.error("call failed", { cid, error });
      await skipBody(request);
      sendProblem(response, error, cid);
    }
    logger.debug("call", {
      cid,
      method: request.method,
      path: exchange.url.pathname,
      peer: exchange.caller === undefined ? "unknown" : renderIdentity(exchange.caller),
      status: response.statusCode,
      ms: Math.round((performance.now() - startedAt) * 10) / 10,
    });
  };
}

function open(request: IncomingMessage, response: ServerResponse): Exchange {
  const hungUp = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) hungUp.abort(new Error("The caller hung up"));
  });
  // A connection that breaks is told by `close`; without a listener these would end the process.
  request.on("error", () => {});
  response.on("error", () => {});
  const cid = randomUUID();
  response.setHeader("X-Dragoman-Cid", cid);
  // A path of `//host` would be taken for another host.
  const url = new URL(`https://self${request.url ?? "/"}`);
  return { request, response, url, cid, hungUp };
}

async function answerOf(
  exchange: Exchange,
  router: Router,
  { cluster, maxBodyBytes = 32 * 1024 * 1024 }: ExchangeOptions,
): Promise<unknown> {
  const { request, url, hungUp } = exchange;
  const { socket } = request;
  const certificate = socket instanceof TLSSocket && socket.authorized
    ? socket.getPeerCertificate()
    : {};
  const peer = exchange.caller = acceptCaller(certificate, cluster);
  const { route, params } = router(request.method ?? "", url.pathname);
  if (!route.roles.includes(peer.role)) {
    throw new PlatformError("MTLS_ROLE_REFUSED", {
      operation: `${route.method} ${route.path}`,
      role: peer.role,
      roles: route.roles.join(", "),
    });
  }
  const body = await readJsonBody(request, maxBodyBytes);
  const { searchParams: query } = url;
  const { headers } = request;
  return await route.handle({ peer, params, query, headers, body, signal: hungUp.signal });
}

function sendJson(response: ServerResponse, answer: unknown): void {
  if (answer === undefined) {
    response.writeHead(204).end();
    return;
  }
  const body = JSON.stringify(answer);
  response.writeHead(200, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}

/** Who still sends does not see an answer, so what is left of the body is read and dropped. */
async function skipBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  const ended = Promise.race([once(request, "end"), once(request, "close")]);
  request.resume();
  await ended.catch(() => {}); // the caller has gone
}

function sendProblem(response: ServerResponse, error: unknown, cid: string): void {
  if (response.headersSent) {
    response.destroy(); // half an answer must not look like a whole one
    return;
  }
  const problem = toProblem(error, cid);
  const body = JSON.stringify(problem);
  response.writeHead(problem.status, {
    "Content-Type": problemContentType,
    "Content-Length": Buffer.byteLength(body),
    ...headersOf(error),
  });
  response.end(body);
}

function headersOf(error: unknown): Record<string, string> {
  if (!isPlatformError(error)) return {};
  if (error.retryAfterMs !== undefined) {
    return { "Retry-After": String(Math.ceil(error.retryAfterMs / 1_000)) };
  }
  return isAllowed(error.details) ? { Allow: error.details.allowed } : {};
}

function isAllowed(details: unknown): details is { readonly allowed: string } {
  return details !== null && typeof details === "object" && "allowed" in details;
}
