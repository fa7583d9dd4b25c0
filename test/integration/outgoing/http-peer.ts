import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttps, type ServerOptions } from "node:https";
import {
  type AddressInfo,
  createServer as createTcp,
  type Server as TcpServer,
  type Socket,
} from "node:net";

export interface Peer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Connections taken so far, and the most at one time. */
  readonly connections: number;
  readonly connectionsMax: number;
  /** Requests in the order in which they came: "GET /path". */
  readonly requests: readonly string[];
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** An HTTP server of the test's own. */
export async function startPeer(
  handle: Handler,
  { port = 0, tls }: { readonly port?: number; readonly tls?: ServerOptions } = {},
): Promise<Peer> {
  const requests: string[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url}`);
    void handle(request, response);
  };
  const server = tls === undefined ? createHttp(listener) : createHttps(tls, listener);
  return await listen(server, { port, requests, scheme: tls === undefined ? "http" : "https" });
}

/** A server that gets each request as text, and the bare socket to answer on. */
export async function startRawPeer(
  handle: (socket: Socket, info: { readonly request: string; readonly connection: number }) => void,
): Promise<Peer> {
  const requests: string[] = [];
  let count = 0;
  const server = createTcp((socket) => {
    const connection = ++count;
    let buffered = "";
    socket.on("error", () => {}); // broken on purpose
    socket.on("data", (data) => {
      buffered += data.toString("latin1");
      for (let end = endOf(buffered); end > 0; end = endOf(buffered)) {
        const request = buffered.slice(0, end);
        buffered = buffered.slice(end);
        requests.push(request.slice(0, request.indexOf(" HTTP/")));
        handle(socket, { request, connection });
      }
    });
  });
  return await listen(server, { port: 0, requests, scheme: "http" });
}

/** A whole answer with a small body. */
export function rawAnswer(body: string, status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}` +
    `\r\n\r\n${body}`;
}

/** The request's whole body. */
export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

/** Where a request that stands at the beginning of the text ends; 0 when it is not whole. */
function endOf(text: string): number {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return 0;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head + 2))?.[1] ?? "0";
  const end = head + 4 + Number(length);
  return text.length >= end ? end : 0;
}

async function listen(
  server: Server | TcpServer,
  { port, requests, scheme }: {
    readonly port: number;
    readonly requests: readonly string[];
    readonly scheme: string;
  },
): Promise<Peer> {
  const sockets = new Set<Socket>();
  const counts = { all: 0, max: 0 };
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    counts.all++;
    counts.max = Math.max(counts.max, sockets.size);
    socket.on("error", () => {}); // clients may go away
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = (server.address() as AddressInfo).port; // it listens on TCP
  return {
    url: `${scheme}://127.0.0.1:${bound}`,
    port: bound,
    requests,
    get connections() {
      return counts.all;
    },
    get connectionsMax() {
      return counts.max;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
