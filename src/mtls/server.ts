import { createServer, type Server, type ServerOptions } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import { poll } from "../lib/wait.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createExchangeHandler } from "./exchange.ts";
import { explainHandshake } from "./failure-reason.ts";
import type { TlsMaterial } from "./identity.ts";
import type { Route } from "./json-api.ts";

export interface JsonServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: TlsMaterial;
  /** Callers of other clusters are refused. */
  readonly cluster: string;
  readonly routes: readonly Route[];
  readonly logger: Logger;
  /** Default 32 MiB. */
  readonly maxBodyBytes?: number;
  readonly limits?: Partial<JsonServerLimits>;
}

/** Times in ms after which a connection that makes no progress is ended. */
export interface JsonServerLimits {
  /** From connecting to the end of the handshake. Default 10,000. */
  readonly handshakeMs: number;
  /** For a whole request head. Default 10,000. */
  readonly headersMs: number;
  /** For a whole request with its body. Default 60,000. */
  readonly requestMs: number;
  /** How long `close` waits for requests in flight. Default 5,000. */
  readonly drainMs: number;
}

export interface JsonServer {
  /** Where it really listens. */
  readonly port: number;
  /** New connections get this certificate and are checked against this authority. */
  setTls(tls: TlsMaterial): void;
  /**
   * Stops accepting, ends idle connections and event streams, waits for requests in flight, then
   * ends what is left. May be called more than once.
   */
  close(): Promise<void>;
}

const defaultLimits: JsonServerLimits = {
  handshakeMs: 10_000,
  headersMs: 10_000,
  requestMs: 60_000,
  drainMs: 5_000,
};

/** Idle connections are kept longer than clients keep them, so that clients end them first. */
const keepAliveMs = 65_000;

/**
 * Serves JSON over mutually authenticated TLS (1.2 or later). Callers prove who they are by
 * certificate; each route says which roles may call it. Errors leave as RFC 9457 problems.
 * Throws MTLS_CANNOT_LISTEN.
 */
export async function startJsonServer(options: JsonServerOptions): Promise<JsonServer> {
  const { host, port, tls, logger } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const closing = new AbortController();
  const server = createServer({ ...tlsOptions(tls), ...timeOptions(limits) });
  const inFlight = new Set<ServerResponse>();
  const handle = createExchangeHandler({ ...options, closing: closing.signal });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    inFlight.add(response);
    response.once("close", () => inFlight.delete(response));
    if (closing.signal.aborted) response.setHeader("Connection", "close");
    void handle(request, response);
  });
  reportBadConnections(server, logger);
  await listen(server, host, port);
  const address = server.address();
  let closed: Promise<void> | undefined;
  return {
    port: address !== null && typeof address === "object" ? address.port : port,
    setTls: (next) => server.setSecureContext(tlsOptions(next)),
    close: () => closed ??= close(server, { closing, inFlight, drainMs: limits.drainMs }),
  };
}

function tlsOptions({ cert, key, ca }: TlsMaterial): ServerOptions {
  return { cert, key, ca, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.2" };
}

function timeOptions({ handshakeMs, headersMs, requestMs }: JsonServerLimits): ServerOptions {
  return {
    handshakeTimeout: handshakeMs,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(1_000, headersMs),
    keepAliveTimeout: keepAliveMs,
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const isTaken = "code" in error && error.code === "EADDRINUSE";
      const reason = isTaken ? "the port is taken" : reasonOf(error);
      reject(new PlatformError("MTLS_CANNOT_LISTEN", { host, port, reason }, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

function reportBadConnections(server: Server, logger: Logger): void {
  // A socket has forgotten its peer's address by the time its handshake has failed.
  const addresses = new WeakMap<object, string>();
  server.on("connection", (socket: Socket) => {
    addresses.set(socket, `${socket.remoteAddress}:${socket.remotePort}`);
  });
  server.on("tlsClientError", (error: Error, socket: object) => {
    const parent = "_parent" in socket ? socket._parent : undefined;
    const raw = parent !== null && typeof parent === "object" ? parent : socket;
    const peer = addresses.get(raw) ?? "unknown";
    logger.warn("handshake refused", { peer, reason: explainHandshake(error, socket) });
  });
  server.on("clientError", (error: Error, socket: Socket) => {
    logger.debug("connection ended", { reason: reasonOf(error) });
    socket.destroy();
  });
}

async function close(
  server: Server,
  { closing, inFlight, drainMs }: {
    readonly closing: AbortController;
    readonly inFlight: ReadonlySet<ServerResponse>;
    readonly drainMs: number;
  },
): Promise<void> {
  closing.abort(new Error("The server is closing"));
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const isIdle = () => (inFlight.size === 0 ? true : undefined);
  await poll(isIdle, { timeoutMs: drainMs, intervalMs: 10 });
  server.closeAllConnections();
  await ended;
}
