import { Agent as HttpAgent, type ClientRequest, type IncomingMessage } from "node:http";
import { request as openHttp } from "node:http";
import { Agent as HttpsAgent, request as openHttps } from "node:https";
import { Readable } from "node:stream";
import { TransportFailure } from "./transport-failure.ts";

/** How one connection trusts the other side and shows who it is; PEM texts. */
export interface TlsSettings {
  /** Default: the system's authorities. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name in the other side's certificate. Default: the address's host. */
  readonly serverName?: string;
  /** False: whoever answers is believed. */
  readonly verify: boolean;
}

export interface TransportOptions {
  readonly tls: TlsSettings;
  /** Sockets to one address at a time; further requests wait for one. */
  readonly poolSize: number;
  /** A socket that nobody used for this long is closed. */
  readonly idleMs: number;
}

/** One request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: RequestBody | undefined;
  /** Of the whole exchange, the body of the answer included. */
  readonly signal: AbortSignal;
  readonly connectTimeoutMs: number;
}

export type RequestBody = Uint8Array | ReadableStream<Uint8Array>;

/** The head of an answer, and its body, still to be read or destroyed. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readable;
}

/** Sends requests over a pool of kept connections. It repeats nothing and follows no redirect. */
export interface Transport {
  /** Rejects with a TransportFailure, or with the signal's reason. */
  send(request: WireRequest): Promise<HttpReply>;
  /** Connections opened so far. */
  readonly opened: number;
  /** Ends idle connections; requests in flight finish. Idempotent. */
  close(): void;
}

/**
 * The runtime's `node:http` client rather than its fetch. Both take the same time for a request
 * (measured), but fetch sends a request again by itself, POST too, when a kept connection breaks,
 * cannot say whether anything was sent, and has neither a connect timeout nor a bound on
 * connections, a server name, or a way to trust one authority alone.
 */
export class PooledTransport implements Transport {
  readonly #tls: TlsSettings;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  #opened = 0;

  constructor({ tls, poolSize, idleMs }: TransportOptions) {
    this.#tls = tls;
    const pool = { keepAlive: true, maxSockets: poolSize, timeout: idleMs } as const;
    this.#http = new HttpAgent(pool);
    this.#https = new HttpsAgent({
      ...pool,
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
      rejectUnauthorized: tls.verify,
      minVersion: "TLSv1.2",
    });
  }

  get opened(): number {
    return this.#opened;
  }

  send(wire: WireRequest): Promise<HttpReply> {
    const { method, url, headers, body, signal, connectTimeoutMs } = wire;
    const isTls = url.protocol === "https:";
    const options = { method, headers: Object.fromEntries(headers) };
    return new Promise((resolve, reject) => {
      const request = isTls
        ? openHttps(url, { ...options, agent: this.#https })
        : openHttp(url, { ...options, agent: this.#http });
      const exchange = new OneExchange(request, { signal, connectTimeoutMs, isTls });
      exchange.onOpened = () => this.#opened++;
      exchange.onConnected = () => sendBody(request, body);
      exchange.onReply = (reply) => resolve(reply);
      exchange.onFailure = (error) => {
        // A stream of the caller's must not be left to fill up.
        if (body instanceof ReadableStream && !body.locked) void body.cancel(error).catch(noOne);
        reject(error);
      };
    });
  }

  close(): void {
    for (const agent of [this.#http, this.#https]) endIdle(agent);
  }
}

const noOne = () => {}; // the stream's source fails where nobody waits any more

/** Sockets in use end after their answer, as the agent keeps none from now on. */
function endIdle(agent: HttpAgent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

function sendBody(request: ClientRequest, body: RequestBody | undefined): void {
  if (body === undefined) request.end();
  else if (body instanceof Uint8Array) request.end(body);
  else {
    // The DOM's and node's types of one and the same stream differ.
    const source = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
    source.on("error", (error) => request.destroy(error));
    request.once("close", () => source.destroy());
    source.pipe(request);
  }
}

/** Sockets that have been used before, or could have been. */
const established = new WeakSet<object>();

/** One request on its socket, until its answer has been read to the end. */
class OneExchange {
  onOpened: () => void = noOne;
  onConnected: () => void = noOne;
  onReply: (reply: HttpReply) => void = noOne;
  onFailure: (error: unknown) => void = noOne;
  readonly #request: ClientRequest;
  readonly #signal: AbortSignal;
  readonly #isTls: boolean;
  readonly #connectTimer: { ms: number; timer: ReturnType<typeof setTimeout> | undefined };
  #isConnected = false;

  constructor(
    request: ClientRequest,
    { signal, connectTimeoutMs, isTls }: {
      readonly signal: AbortSignal;
      readonly connectTimeoutMs: number;
      readonly isTls: boolean;
    },
  ) {
    this.#request = request;
    this.#signal = signal;
    this.#isTls = isTls;
    this.#connectTimer = { ms: connectTimeoutMs, timer: undefined };
    const abort = () => void request.destroy(asError(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    request.once("close", () => {
      signal.removeEventListener("abort", abort);
      clearTimeout(this.#connectTimer.timer);
    });
    request.once("socket", (socket) => this.#takeSocket(socket));
    request.once("response", (response) => this.#takeResponse(response));
    // Stays: what comes after the answer's head is the body's to report.
    request.on("error", (error) => this.onFailure(this.#failure(error)));
    if (signal.aborted) abort();
  }

  #takeSocket(socket: NonNullable<ClientRequest["socket"]>): void {
    // The client sends a request again by itself, whatever its method, when a kept connection
    // turns out to be dead. It does so only for what it marked as reused.
    this.#request.reusedSocket = false;
    if (established.has(socket)) return this.#connected();
    this.onOpened();
    const { ms } = this.#connectTimer;
    this.#connectTimer.timer = setTimeout(() => {
      this.#request.destroy(new Error(`no connection within ${ms} ms`));
    }, ms);
    socket.once(this.#isTls ? "secureConnect" : "connect", () => {
      established.add(socket);
      this.#connected();
    });
  }

  #connected(): void {
    clearTimeout(this.#connectTimer.timer);
    this.#isConnected = true;
    this.onConnected();
  }

  #takeResponse(response: IncomingMessage): void {
    const headers = new Headers();
    const { rawHeaders } = response;
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      headers.append(rawHeaders[index]!, rawHeaders[index + 1]!);
    }
    response.on("error", noOne); // whoever reads the body is told; nobody may be reading yet
    this.onReply({ status: response.statusCode ?? 0, headers, body: response });
  }

  #failure(error: unknown): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    return new TransportFailure(error, this.#isConnected ? "sent" : "connect");
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
