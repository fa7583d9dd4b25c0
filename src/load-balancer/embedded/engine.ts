import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { version } from "../../config/component.ts";
import type { LoadBalancerConfig } from "../../config/schemas.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { BackendServer, BalancerEngine, EngineStatus } from "../engine.ts";
import type { ProblemStatus } from "../problems.ts";
import { BackendSet } from "./backend-set.ts";
import { ClientConnections } from "./client-connections.ts";
import { renderProblemResponse } from "./own-answers.ts";
import { handleRequest, handleUpgrade, type Proxy } from "./proxy.ts";
import { headerCountMax } from "./request-guard.ts";

/** Connections beyond the limit that are answered with 503; any more are closed unanswered. */
const surplusConnectionsMax = 256;

/** Makes the balancer of development environments: an HTTP/1.1 reverse proxy in this process. */
export function createEmbeddedEngine(
  config: LoadBalancerConfig,
  { logger }: { readonly logger: Logger },
): BalancerEngine {
  return new EmbeddedEngine(config, logger);
}

class EmbeddedEngine implements BalancerEngine {
  readonly engine = "embedded";
  readonly engineVersion = version;
  readonly failed: Promise<never>;
  readonly #config: LoadBalancerConfig;
  readonly #logger: Logger;
  readonly #backends: BackendSet;
  readonly #connections: ClientConnections;
  readonly #server: Server;
  #fail: (error: Error) => void = () => {};
  #requestsTotal = 0;

  constructor(config: LoadBalancerConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#backends = new BackendSet(config, logger);
    this.#connections = new ClientConnections(config.maxConnections);
    this.failed = new Promise((_, reject) => this.#fail = reject);
    this.failed.catch(() => {}); // whoever waits for it is told; nobody has to
    this.#server = this.#createServer();
  }

  async start(servers: readonly BackendServer[]): Promise<void> {
    await this.#listen();
    this.#backends.reconcile(servers);
  }

  setServers(servers: readonly BackendServer[]): Promise<void> {
    this.#backends.reconcile(servers);
    return Promise.resolve();
  }

  status(): Promise<EngineStatus> {
    return Promise.resolve({
      requestsTotal: this.#requestsTotal,
      sessionsCurrent: this.#connections.count,
      servers: this.#backends.describe(),
    });
  }

  async stop({ drainMs }: { readonly drainMs: number }): Promise<void> {
    this.#server.close();
    await this.#connections.close(drainMs);
    this.#backends.stop();
  }

  #createServer(): Server {
    const { headersMs, keepAliveMs } = this.#config.timeouts;
    const server = createServer({
      headersTimeout: headersMs,
      requestTimeout: 0, // bodies may take long; silence in the middle is watched per request
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(1_000, Math.max(20, headersMs / 4)),
      maxHeaderSize: 16 * 1024,
      requireHostHeader: false, // refused here, with a problem document
    });
    server.maxHeadersCount = headerCountMax + 1;
    server.maxConnections = this.#config.maxConnections + surplusConnectionsMax;
    const proxy: Proxy = {
      config: this.#config,
      backends: this.#backends,
      connections: this.#connections,
    };
    server.on("connection", (socket) => this.#connections.add(socket));
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#requestsTotal += 1;
      this.#guard(response, handleRequest(proxy, request, response));
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#requestsTotal += 1;
      this.#guard(socket, handleUpgrade(proxy, request, { socket, head }));
    });
    server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
      this.#connections.finish(socket, renderProblemResponse(405));
    });
    server.on("clientError", (error, socket) => this.#refuse(error, socket));
    return server;
  }

  /** A request that trips over a fault of ours must not take the others with it. */
  #guard(client: Duplex | ServerResponse, work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#logger.error("request failed inside the balancer", { error });
      client.destroy();
    });
  }

  /** Answers what the parser could not read, in its turn. */
  #refuse(error: Error, socket: Duplex): void {
    const exchanges = this.#connections.exchanges(socket);
    this.#connections.condemn(socket);
    // Requests before the bad bytes are answered first; then the connection ends without a word.
    if (exchanges.some(({ req }) => req.complete)) return;
    const hasBegun = exchanges.some(({ headersSent }) => headersSent);
    if (hasBegun || !socket.writable) return void socket.destroy();
    this.#connections.finish(socket, renderProblemResponse(problemOfParser(error)));
  }

  #listen(): Promise<void> {
    const { host, port } = this.#config.http;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error) => reject(listenError(error, host, port)));
      this.#server.listen({ host, port }, () => {
        this.#server.removeAllListeners("error");
        this.#server.on("error", (error) => this.#fail(error));
        const address = this.#server.address() as AddressInfo; // listening on TCP, so no string
        this.#logger.info("balancer listening", { host: address.address, port: address.port });
        resolve();
      });
    });
  }
}

function problemOfParser(error: Error): ProblemStatus {
  const code = "code" in error ? error.code : undefined;
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return 408;
  return code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
}

function listenError(error: Error, host: string, port: number): PlatformError {
  const code = "code" in error ? error.code : undefined;
  const options = { cause: error };
  if (code === "EADDRINUSE") {
    return new PlatformError("BALANCER_PORT_IN_USE", { host, port }, options);
  }
  const params = { host, port, reason: reasonOf(error) };
  return new PlatformError("BALANCER_CANNOT_LISTEN", params, options);
}
