import { PlatformError } from "../errors/platform-error.ts";
import type { SecurityRequest } from "../security/authenticator.ts";
import type { Principal } from "../security/principal.ts";
import type {
  Call,
  ChannelInfo,
  ServiceRequest,
  ServiceResponse,
  ServiceRuntime,
} from "../service/call.ts";
import type { XmlElement } from "../xml/element.ts";
import type { Answers } from "./answers.ts";
import type { Deadline, Deadlines, Expirable } from "./deadlines.ts";
import { type Forwarders, withoutHop } from "./forwarders.ts";
import type { OnceOnly } from "./idempotency/once-only.ts";
import type { Route } from "./route.ts";
import { callerWaitMs } from "./timeout-header.ts";

/** What the HTTP engine tells of a connection. */
export interface Peer {
  readonly remoteAddr: { readonly hostname: string };
}

/** What all requests of a process share. */
export interface HttpTools {
  readonly answers: Answers;
  readonly deadlines: Deadlines;
  readonly forwarders: Forwarders;
  /**
   * Turns a request into a WebSocket: `response` must be the answer to it. Throws a TypeError when
   * the request is no WebSocket handshake.
   */
  readonly upgrade: (request: Request, options?: UpgradeOptions) => WebSocketUpgrade;
}

export interface UpgradeOptions {
  /** The subprotocol that the server chose. */
  readonly protocol?: string;
  /** The client is pinged, and given up when it does not answer. Default 120; 0: never. */
  readonly idleTimeout?: number;
}

export interface WebSocketUpgrade {
  readonly socket: WebSocket;
  readonly response: Response;
}

export interface ExchangeOptions {
  readonly peer: Peer;
  readonly cid: string;
  readonly runtime: ServiceRuntime;
  readonly tools: HttpTools;
}

/**
 * One HTTP request on its way through the pipeline. Stages write what they find out into it;
 * whatever a service may or may not ask for is made when it is asked for.
 */
export class Exchange implements Call, Expirable, SecurityRequest {
  readonly web: Request;
  readonly headers: Headers;
  readonly cid: string;
  readonly runtime: ServiceRuntime;
  readonly startedAt: number = performance.now();
  /** Still percent-encoded. */
  readonly path: string;
  /** Without its question mark, and without credentials; empty when there is none. */
  queryText: string;
  route: Route | undefined;
  /** Decoded values of the path's `{name}` parts, in order. */
  paramValues: readonly string[] = [];
  principal: Principal | undefined;
  /** Kept only where the service asks for it. */
  body: Uint8Array | undefined;
  /** The body while it arrives, where the service asks for that. */
  bodyStream: ReadableStream<Uint8Array> | undefined;
  /** Why the stream broke off: the client's fault, whatever the service makes of it. */
  bodyFailure: PlatformError | undefined;
  /** True when the answer is sent while it is made: its body must not be read as a whole. */
  isStreaming = false;
  /** For a request with an idempotency key: to be begun before the service is called. */
  once: OnceOnly | undefined;
  /** Its service has begun, and may have had effects. */
  hasRun = false;
  /** Gives uploaded files back; called when the answer has been sent. */
  releaseUploads: (() => Promise<void>) | undefined;
  /** Elements in the header of a SOAP message, where there are any. */
  soapHeaders: readonly XmlElement[] | undefined;
  /** Security and rate limits have let it in. */
  isAdmitted = false;
  /** The time limit means the client while this is true, and the service afterwards. */
  isReadingBody = false;
  /** True when a client that sent no `Host`, or one that is not the target's, asks. */
  readonly isHostWrong: boolean;
  readonly tools: HttpTools;
  readonly #peer: Peer;
  #clientHeaders: Headers | undefined;
  #request: HttpRequest | undefined;
  #response: ServiceResponse | undefined;
  #abort: AbortController | undefined;
  /** Why the time was over, for a signal that is asked for afterwards. */
  #expired: PlatformError | undefined;
  #deadline: Deadline | undefined;
  #limitMs: number | undefined;
  #resolve: ((response: Response) => void) | undefined;
  #onExpire: ((exchange: Exchange, error: PlatformError) => void) | undefined;

  constructor(web: Request, { peer, cid, runtime, tools }: ExchangeOptions) {
    this.web = web;
    this.headers = web.headers;
    this.cid = cid;
    this.runtime = runtime;
    this.#peer = peer;
    this.tools = tools;
    const { url } = web;
    // The engine writes the scheme, the authority, and then the target as it came. An authority
    // that is not what `Host` said is a malformed Host, or a target with another host in it.
    const start = url.charCodeAt(4) === letterS ? 8 : 7;
    const host = web.headers.get("host");
    const isHostRight = host !== null && host !== "" && url.startsWith(host, start) &&
      url.charCodeAt(start + host.length) === slash && !host.includes("/");
    this.isHostWrong = !isHostRight;
    const pathStart = isHostRight ? start + host.length : url.indexOf("/", start);
    const queryStart = url.indexOf("?", pathStart);
    this.path = pathStart < 0 ? "" : url.slice(pathStart, queryStart < 0 ? undefined : queryStart);
    this.queryText = queryStart < 0 ? "" : url.slice(queryStart + 1);
  }

  get request(): ServiceRequest {
    return this.#request ??= new HttpRequest(this);
  }

  get response(): ServiceResponse {
    return this.#response ??= { status: 0, headers: new Headers() };
  }

  /** The head that the service has made; undefined when it never asked for one. */
  get responseIfTouched(): ServiceResponse | undefined {
    return this.#response;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#expired !== undefined) this.#abort.abort(this.#expired);
      else if (this.web.signal.aborted) this.#clientGone();
      else this.web.signal.addEventListener("abort", () => this.#clientGone(), { once: true });
    }
    return this.#abort.signal;
  }

  #clientGone(): void {
    if (this.once?.isHeld !== true) this.#abort?.abort(this.web.signal.reason);
  }

  /** The channel's time limit. */
  get #channelMs(): number {
    return this.route?.timeoutMs ?? 0;
  }

  /** The channel's time limit, or how long the caller waits where that is less. */
  get limitMs(): number {
    return this.#limitMs ??= Math.min(this.#channelMs, callerWaitMs(this.headers));
  }

  remaining(): number {
    const limitMs = this.once?.isHeld === true ? this.#channelMs : this.limitMs;
    return Math.max(0, this.startedAt + limitMs - performance.now());
  }

  /** Called by whoever runs the service. */
  onRun(): void {
    this.hasRun = true;
  }

  /** What services may see of `headers`. */
  get clientHeaders(): Headers {
    return this.#clientHeaders ??= withoutHop(this.headers);
  }

  /** The client's address: the peer's, or what balancers and trusted proxies say. */
  get remoteAddress(): string {
    const forwarded = this.headers.get("x-forwarded-for");
    const peer = plainAddress(this.#peer.remoteAddr.hostname);
    const { forwarders } = this.tools;
    if (forwarded === null || !forwarders.believes(this.headers, peer)) return peer;
    // Each proxy adds at the end whom it heard from: the first from there that is not a proxy of
    // ours is the client; what stands before it the client may have made up.
    const hops = forwarded.split(",").map((hop) => plainAddress(hop.trim()));
    return hops.findLast((hop) => !forwarders.isProxy(hop)) ?? hops[0]!;
  }

  /** A query parameter, decoded; undefined when it is missing or stands there more than once. */
  query(name: string): string | undefined {
    if (this.queryText === "") return undefined;
    const values = new URLSearchParams(this.queryText).getAll(name);
    return values.length === 1 ? values[0] : undefined;
  }

  /** Takes parameters that carry credentials out of the query, before anybody can ask for it. */
  hideQuery(names: readonly string[]): void {
    if (this.queryText === "") return;
    this.queryText = this.queryText.split("&").filter((field) => {
      const [name] = new URLSearchParams(field).keys();
      return name === undefined || !names.includes(name);
    }).join("&");
  }

  /** What the balancer or a trusted proxy says of the client's certificate (RFC 9440). */
  clientCertificate(): string | undefined {
    return this.#told("client-cert") ?? undefined;
  }

  /** Where the client found us, such as `https://api.example.com`; trusted proxies say how. */
  get origin(): string {
    const forwarded = this.#told("x-forwarded-proto");
    const own = this.web.url.charCodeAt(4) === letterS ? "https" : "http";
    // Each proxy adds at the end; the outermost one is the client's.
    const scheme = forwarded === null ? own : forwarded.split(",")[0]!.trim().toLowerCase();
    return `${scheme === "https" ? "https" : "http"}://${this.headers.get("host") ?? ""}`;
  }

  /** Where the answer goes, and who makes one when the time is over. */
  expectAnswer(
    resolve: (response: Response) => void,
    onExpire: (exchange: Exchange, error: PlatformError) => void,
  ): void {
    this.#resolve = resolve;
    this.#onExpire = onExpire;
  }

  /** Begins the request's time limit. */
  startDeadline(): void {
    this.#deadline = this.tools.deadlines.start(this.startedAt, this);
  }

  /** Hands the answer over. Only the first one counts: a service may go on after its time. */
  answer(response: Response): boolean {
    this.#deadline?.cancel();
    const resolve = this.#resolve;
    if (resolve === undefined) return false;
    this.#resolve = undefined;
    resolve(response);
    return true;
  }

  /** A header of the hop before us, if whoever sent it is believed. */
  #told(name: string): string | null {
    const value = this.headers.get(name);
    if (value === null) return null;
    const peer = plainAddress(this.#peer.remoteAddr.hostname);
    return this.tools.forwarders.believes(this.headers, peer) ? value : null;
  }

  /** Called by the deadline. */
  expire(): void {
    const timeoutMs = this.limitMs;
    const code = this.isReadingBody ? "REQUEST_BODY_SLOW" : "REQUEST_TIMEOUT";
    const error = new PlatformError(code, { timeoutMs });
    if (this.route !== undefined && !this.isReadingBody) this.route.stats.timeoutsTotal++;
    const goesOn = this.once?.isHeld === true && timeoutMs < this.#channelMs;
    if (!goesOn) this.#end(error);
    this.#onExpire?.(this, error);
    if (goesOn) this.#startChannelDeadline();
  }

  /** The caller waits no longer, but the service has the channel's whole time. */
  #startChannelDeadline(): void {
    const limitMs = this.#channelMs;
    const expire = () => this.#end(new PlatformError("REQUEST_TIMEOUT", { timeoutMs: limitMs }));
    this.#deadline = this.tools.deadlines.start(this.startedAt, { limitMs, expire });
  }

  #end(error: PlatformError): void {
    this.#expired = error;
    this.#abort?.abort(error);
  }
}

const slash = 47;
/** The fifth letter of "https", where "http" has a colon. */
const letterS = 115;

/** An IPv4 address inside IPv6 is written as itself. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

/** What services see of an exchange. */
class HttpRequest implements ServiceRequest {
  readonly #exchange: Exchange;
  #params: Readonly<Record<string, string>> | undefined;
  #query: URLSearchParams | undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get cid(): string {
    return this.#exchange.cid;
  }

  get channel(): ChannelInfo {
    return this.#exchange.route!.channel; // services run on a route
  }

  get principal(): Principal | undefined {
    return this.#exchange.principal;
  }

  get method(): string {
    return this.#exchange.web.method;
  }

  get path(): string {
    return this.#exchange.path;
  }

  get params(): Readonly<Record<string, string>> {
    const { route, paramValues } = this.#exchange;
    return this.#params ??= Object.fromEntries(
      route!.paramNames.map((name, index) => [name, paramValues[index]!]),
    );
  }

  get query(): URLSearchParams {
    return this.#query ??= new URLSearchParams(this.#exchange.queryText);
  }

  get headers(): Headers {
    return this.#exchange.clientHeaders;
  }

  get traceparent(): string | undefined {
    return this.#exchange.headers.get("traceparent") ?? undefined;
  }

  get soapHeaders(): readonly XmlElement[] {
    return this.#exchange.soapHeaders ?? [];
  }

  get rawBody(): Uint8Array {
    const { body, route } = this.#exchange;
    if (body !== undefined) return body;
    if (route!.keepsBody) return new Uint8Array(); // services run on a route
    throw new PlatformError("SERVICE_RAW_BODY");
  }

  get body(): ReadableStream<Uint8Array> | undefined {
    return this.#exchange.bodyStream;
  }

  get remoteAddress(): string {
    return this.#exchange.remoteAddress;
  }
}
