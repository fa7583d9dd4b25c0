import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { version } from "../../config/component.ts";
import type { LoadBalancerConfig } from "../../config/schemas.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { BalancerStatistics } from "../api.ts";
import type {
  BackendServer,
  BalancerEngine,
  EngineConfiguration,
  EngineSetup,
  EngineStatus,
} from "../engine.ts";
import { loadClientTls } from "../certificates.ts";
import type { ProblemStatus } from "../problems.ts";
import { AccessLog } from "./settings/access-log.ts";
import { BackendSet } from "./backend-set.ts";
import { ClientConnections } from "./client-connections.ts";
import { ClientLimits } from "./client-limits.ts";
import { ClientTlsPort, createRedirectServer } from "./client-tls.ts";
import { renderProblemResponse } from "./own-answers.ts";
import { handleRequest, handleUpgrade, type Proxy } from "./proxy.ts";
import { headerCountMax } from "./request-guard.ts";
import { checkSetup, describeStatistics, renderSetup } from "./settings/setup.ts";

/** Connections beyond the limit that are answered with 503; any more are closed unanswered. */
const surplusConnectionsMax = 256;

export interface EmbeddedEngineOptions {
  readonly logger: Logger;
  /** The balancer's own, from which the files of `tls` are named. */
  readonly directory: string;
  /** Proves to servers that a request comes from here; absent: nothing does. */
  readonly hopKey?: string;
  /** Whom servers' certificates must come from, PEM. */
  readonly clusterCa?: string;
  /** Where requests are logged when the configuration says `file`. */
  readonly accessLogFile: string;
}

/** Makes the balancer of development environments: an HTTP/1.1 reverse proxy in this process. */
export function createEmbeddedEngine(
  config: LoadBalancerConfig,
  options: EmbeddedEngineOptions,
): BalancerEngine {
  return new EmbeddedEngine(config, options);
}

class EmbeddedEngine implements BalancerEngine {
  readonly engine = "embedded";
  readonly engineVersion = version;
  readonly failed: Promise<never>;
  readonly configuration: EngineConfiguration;
  #config: LoadBalancerConfig;
  readonly #accessLog: AccessLog;
  readonly #logger: Logger;
  readonly #backends: BackendSet;
  readonly #connections: ClientConnections;
  readonly #limits: ClientLimits;
  readonly #directory: string;
  #hopKey: string | undefined;
  #port: ClientTlsPort | undefined;
  #server: Server | undefined;
  #redirect: Server | undefined;
  #fail: (error: Error) => void = () => {};
  #requestsTotal = 0;

  constructor(config: LoadBalancerConfig, options: EmbeddedEngineOptions) {
    const { logger, accessLogFile, directory, hopKey, clusterCa } = options;
    checkSetup(config, config);
    this.#config = config;
    this.#directory = directory;
    this.#hopKey = hopKey;
    this.#accessLog = new AccessLog(accessLogFile, config.accessLog);
    this.configuration = {
      text: () => renderSetup(this.#config),
      render: ({ config, servers }) => Promise.resolve(renderSetup(config, servers)),
      check: async ({ config: { tls }, config }) => {
        checkSetup(this.#config, config);
        if (tls !== undefined) await loadClientTls(tls, this.#directory);
      },
      apply: async (setup) => this.#apply(setup),
    };
    this.#logger = logger;
    const trust = { cluster: config.cluster, clusterCa };
    this.#backends = new BackendSet(config, { logger, trust });
    this.#limits = new ClientLimits(config.limits);
    this.#connections = new ClientConnections(config.maxConnections, this.#limits);
    this.failed = new Promise((_, reject) => this.#fail = reject);
    this.failed.catch(() => {}); // whoever waits for it is told; nobody has to
  }

  async start(servers: readonly BackendServer[]): Promise<void> {
    const { http, tls } = this.#config;
    if (tls !== undefined) {
      this.#port = new ClientTlsPort(tls, await loadClientTls(tls, this.#directory));
    }
    this.#server = this.#createServer(this.#port);
    await this.#listen(this.#server, http);
    if (tls?.redirect !== undefined) {
      this.#redirect = createRedirectServer(http.port);
      await this.#listen(this.#redirect, tls.redirect);
    }
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
      finishing: 0,
      servers: this.#backends.describe(),
    });
  }

  async statistics(): Promise<BalancerStatistics> {
    return describeStatistics(await this.status());
  }

  command(): Promise<string> {
    const what = "carry out HAProxy's commands";
    return Promise.reject(new PlatformError("BALANCER_ENGINE_CANNOT", { what }));
  }

  useHopKey(key: string): Promise<void> {
    this.#hopKey = key;
    return Promise.resolve();
  }

  async stop({ drainMs }: { readonly drainMs: number }): Promise<void> {
    this.#server?.close();
    this.#redirect?.close();
    await this.#connections.close(drainMs);
    this.#backends.stop();
    this.#accessLog.close();
  }

  async #apply({ config, servers }: EngineSetup): Promise<void> {
    checkSetup(this.#config, config);
    if (this.#port !== undefined && config.tls !== undefined) {
      const renewed = await loadClientTls(config.tls, this.#directory);
      if (this.#server instanceof TlsServer) this.#port.renew(renewed, this.#server);
    }
    this.#config = config;
    this.#backends.setAlgorithm(config.algorithm);
    this.#accessLog.setTarget(config.accessLog);
    if (servers !== undefined) this.#backends.reconcile(servers);
  }

  #createServer(port: ClientTlsPort | undefined): Server {
    const { headersMs, keepAliveMs } = this.#config.timeouts;
    const options = {
      headersTimeout: headersMs,
      requestTimeout: 0, // bodies may take long; silence in the middle is watched per request
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(1_000, Math.max(20, headersMs / 4)),
      maxHeaderSize: this.#config.limits.headerBytes,
      requireHostHeader: false, // refused here, with a problem document
    };
    const server = port === undefined
      ? createServer(options)
      : createTlsServer({ ...options, ...port.options, handshakeTimeout: headersMs });
    server.maxHeadersCount = headerCountMax + 1;
    server.maxConnections = this.#config.maxConnections + surplusConnectionsMax;
    const proxy: Proxy = {
      config: this.#config,
      backends: this.#backends,
      connections: this.#connections,
      accessLog: this.#accessLog,
      limits: this.#limits,
      tls: port,
      hopKey: () => this.#hopKey,
    };
    server.on(port === undefined ? "connection" : "secureConnection", (socket: Socket) => {
      if (port?.isImpostor(socket) === true) socket.destroy();
      else this.#connections.add(socket);
    });
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
    // A handshake that failed: nobody there would understand an answer.
    if (!this.#connections.has(socket)) return void socket.destroy();
    const exchanges = this.#connections.exchanges(socket);
    this.#connections.condemn(socket);
    // Requests before the bad bytes are answered first; then the connection ends without a word.
    if (exchanges.some(({ req }) => req.complete)) return;
    const hasBegun = exchanges.some(({ headersSent }) => headersSent);
    if (hasBegun || !socket.writable) return void socket.destroy();
    this.#connections.finish(socket, renderProblemResponse(problemOfParser(error)));
  }

  #listen(
    server: Server,
    { host, port }: { readonly host: string; readonly port: number },
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      server.once("error", (error) => reject(listenError(error, host, port)));
      server.listen({ host, port }, () => {
        server.removeAllListeners("error");
        server.on("error", (error) => this.#fail(error));
        const address = server.address() as AddressInfo; // listening on TCP, so no string
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
