import { once } from "node:events";
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as openRequest,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from "node:http";
import type { z } from "zod";
import { type AddressInfo, connect, type Server as NetServer, type Socket } from "node:net";
import { type LoadBalancerConfig, loadBalancerConfigSchema } from "../../../src/config/schemas.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import { poll } from "../../../src/lib/wait.ts";
import type { BackendServer, BalancerEngine } from "../../../src/load-balancer/engine.ts";
import {
  createEmbeddedEngine,
  type EmbeddedEngineOptions,
} from "../../../src/load-balancer/embedded/engine.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";

/** The embedded balancer on a free port, with whatever stands behind it. */
export interface Rig extends AsyncDisposable {
  readonly engine: BalancerEngine;
  readonly port: number;
  readonly url: string;
  /** Waits until the server `name` is in `state`. */
  until(name: string, state: string): Promise<void>;
}

export type RigSettings =
  & {
    -readonly [K in "timeouts" | "healthCheck" | "limits"]?: Partial<LoadBalancerConfig[K]>;
  }
  & Pick<z.input<typeof loadBalancerConfigSchema>, "tls">
  & { readonly maxConnections?: number; readonly retries?: number; readonly port?: number };

export async function startRig(
  servers: readonly (BackendServer | TestServer)[],
  { port, ...settings }: RigSettings = {},
  parts: Partial<Pick<EmbeddedEngineOptions, "directory" | "hopKey" | "clusterCa">> = {},
): Promise<Rig> {
  const config = loadBalancerConfigSchema.parse({
    name: "lb",
    cluster: "test",
    engine: "embedded",
    http: { port: port ?? await findFreePort() },
    agent: { port: 1 },
    // Tests count on whose turn it is.
    algorithm: "roundrobin",
    ...settings,
    healthCheck: { intervalMs: 50, ...settings.healthCheck },
  });
  const engine = createEmbeddedEngine(config, {
    logger: silentLogger,
    accessLogFile: "/dev/null",
    directory: "/nonexistent",
    ...parts,
  });
  await engine.start(servers.map(describeServer));
  const rig: Rig = {
    engine,
    port: config.http.port,
    url: `http://127.0.0.1:${config.http.port}/`,
    until: async (name, state) => {
      const found = await poll(async () => {
        const { servers } = await engine.status();
        return servers.find((server) => server.name === name)?.state === state || undefined;
      }, { timeoutMs: 20_000, intervalMs: 5 });
      if (found === undefined) throw new Error(`Server "${name}" did not become ${state}`);
    },
    [Symbol.asyncDispose]: () => engine.stop({ drainMs: 0 }),
  };
  for (const server of servers) if ("isReady" in server) await rig.until(server.name, "up");
  return rig;
}

/** A server behind the balancer, in this process. */
export interface TestServer extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** Connections on which requests came, health checks apart. */
  readonly connections: Set<Socket>;
  /** Requests that came, health checks apart. */
  readonly requests: IncomingMessage[];
  /** What the health check is told. */
  isReady: boolean;
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts a server; it answers health checks and puts X-Dragoman-Server on everything. */
export async function startServer(
  name: string,
  handler: Handler = (_request, response) => response.end(name),
  configure: (server: Server) => void = () => {},
): Promise<TestServer> {
  const connections = new Set<Socket>();
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    if (request.url === "/dragoman/readyz") {
      response.writeHead(test.isReady ? 200 : 503).end();
      return;
    }
    connections.add(request.socket);
    requests.push(request);
    request.on("error", () => {});
    response.setHeader("X-Dragoman-Server", name);
    handler(request, response);
  });
  configure(server);
  const port = await listen(server);
  const test: TestServer = {
    name,
    port,
    connections,
    requests,
    isReady: true,
    [Symbol.asyncDispose]: () => end(server),
  };
  return test;
}

export function describeServer(
  { name, port, ...more }: BackendServer | TestServer,
): BackendServer {
  return { name, host: "127.0.0.1", port, draining: "draining" in more && more.draining };
}

export async function listen(server: Server | NetServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // listening on TCP, so it has one
}

async function end(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Sends one request on a connection of its own and reads the answer to its end. */
export async function ask(
  port: number,
  options: RequestOptions & { readonly body?: string } = {},
): Promise<Answer> {
  const { response } = await begin(port, options, (request) => request.end(options.body));
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** Begins a request and resolves with the head of the answer. */
export async function begin(
  port: number,
  options: RequestOptions,
  send: (request: ClientRequest) => void = (request) => request.end(),
): Promise<{ readonly request: ClientRequest; readonly response: IncomingMessage }> {
  const request = openRequest({ host: "127.0.0.1", port, agent: false, ...options });
  const answered = once(request, "response");
  send(request);
  const [response] = await answered as [IncomingMessage]; // what "response" carries
  return { request, response };
}

/** Sends bytes as they are and returns all that comes back until the connection ends. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}); // a reset ends the answer, too
  let received = "";
  socket.on("data", (chunk) => received += chunk.toString("latin1"));
  socket.write(text, "latin1");
  await once(socket, "close");
  return received;
}

/** Reads from a socket until what came matches; returns all of it. */
export function readUntil(socket: Socket, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (pattern.test(received)) resolve(received);
    });
    socket.once("close", () => reject(new Error(`Closed after ${JSON.stringify(received)}`)));
  });
}
