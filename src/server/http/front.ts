import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { allowedMethods, routeFor } from "../../http/allow.ts";
import { Answers } from "../../http/answers.ts";
import { createCid } from "../../http/cid.ts";
import { Deadlines } from "../../http/deadlines.ts";
import { Exchange, type HttpTools, type Peer } from "../../http/exchange.ts";
import type { Forwarders } from "../../http/forwarders.ts";
import type { KeyLedger } from "../../http/idempotency/key-ledger.ts";
import { keyHeader, mayHaveKey } from "../../http/idempotency/key.ts";
import { renderKept } from "../../http/idempotency/kept-answer.ts";
import { AnsweredBefore, OnceOnly } from "../../http/idempotency/once-only.ts";
import { toProblem } from "../../http/problem.ts";
import type { Generation, Route, RouteMatch } from "../../http/route.ts";
import type { ApiDocs } from "./api-docs.ts";
import { upgradeWebSocket } from "./engine.ts";
import type { Overload } from "./overload.ts";
import { isSystemPath, systemAnswer } from "./system-routes.ts";

export interface HttpFrontOptions {
  /** The configuration that is served until the first `use`. */
  readonly generation: Generation;
  readonly logger: Logger;
  /** The server's name, where clients may know it. */
  readonly server?: string | undefined;
  readonly forwarders: Forwarders;
  readonly overload: Overload;
  /** Where requests with an idempotency key are known. */
  readonly ledger: KeyLedger;
  /** Undefined: channels are not described to clients. */
  readonly docs?: ApiDocs | undefined;
}

/**
 * Takes every HTTP request of the process. It serves one generation of the configuration; `use`
 * replaces that in one step, and requests in flight finish on the one they began with.
 */
export class HttpFront {
  /** Requests to channels since the process started. */
  requestsTotal = 0;
  /** Of these, the ones answered with 500 and above. */
  errorsTotal = 0;
  /** Requests that have no answer yet. */
  inFlight = 0;
  readonly #answers: Answers;
  readonly #tools: HttpTools;
  readonly #logger: Logger;
  readonly #server: string | undefined;
  readonly #docs: ApiDocs | undefined;
  readonly #overload: Overload;
  readonly #ledger: KeyLedger;
  #generation: Generation;
  /** Requests with a key whose answer may still have to be kept, whether or not they have one. */
  #held = 0;
  #notReady: string | undefined = "it has no configuration yet";
  #onIdle: (() => void)[] = [];

  constructor(options: HttpFrontOptions) {
    const { generation, logger, server, forwarders, overload, ledger, docs } = options;
    this.#generation = generation;
    this.#logger = logger;
    this.#server = server;
    this.#docs = docs;
    this.#overload = overload;
    this.#ledger = ledger;
    this.#answers = new Answers({ server });
    this.#tools = {
      answers: this.#answers,
      deadlines: new Deadlines(),
      forwarders,
      upgrade: upgradeWebSocket,
    };
  }

  /** Serves `generation` from the next request on. */
  use(generation: Generation): void {
    this.#generation = generation;
    this.#notReady = undefined;
  }

  /**
   * Ends connections with their next answer, but goes on answering; says "not ready" to whoever
   * asks, unless another process has taken over at the same port.
   */
  beginDrain({ isHandover }: { readonly isHandover: boolean }): void {
    if (!isHandover) this.#notReady = "it is draining";
    this.#answers.closeConnections();
  }

  /** Resolves when no request is in flight, and all answers are kept that must be. */
  idle(): Promise<void> {
    if (this.inFlight + this.#held === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Answers one request; never throws or rejects. */
  readonly handle = (web: Request, peer: Peer): Response | Promise<Response> => {
    const generation = this.#generation;
    const exchange = new Exchange(web, {
      peer,
      cid: createCid(),
      runtime: generation.runtime,
      tools: this.#tools,
    });
    let route: Route | Response | Promise<Response>;
    try {
      route = this.#match(exchange, generation);
    } catch (error) {
      route = this.#failure(exchange, error);
    }
    if (route instanceof Promise) return route;
    if (route instanceof Response) {
      this.#count(exchange, route.status);
      return route;
    }
    exchange.route = route;
    const overload = this.#overload.refusal(this.inFlight);
    if (overload !== undefined) return this.#refuse(exchange, overload);
    this.inFlight++;
    return new Promise((resolve) => {
      exchange.expectAnswer(resolve, this.#expired);
      this.#begin(exchange, exchange.route!); // set just above
    });
  };

  /** The route of a request, or its answer where no route is needed. */
  #match(exchange: Exchange, generation: Generation): Route | Response | Promise<Response> {
    const { web, path, cid } = exchange;
    if (isSystemPath(path)) {
      const docs = this.#docs?.answer(exchange, { generation, answers: this.#answers });
      return docs ?? this.#systemAnswer(exchange);
    }
    if (exchange.isHostWrong) throw new PlatformError("REQUEST_MALFORMED", { reason: hostReason });
    const match = generation.router.find(path, exchange.headers);
    if (match === undefined) throw new PlatformError("REQUEST_NO_CHANNEL");
    const { method } = web;
    const route = routeFor(match, method, exchange.headers);
    if (route !== undefined) {
      exchange.paramValues = match.values;
      return route;
    }
    const allow = allowedMethods(match);
    if (method === "OPTIONS") return this.#options(exchange, match, allow);
    const error = new PlatformError("REQUEST_METHOD", { method });
    return this.#answers.problem(toProblem(error, cid), { Allow: allow });
  }

  /** What may be done at a path; for a page of another origin, what it may do. */
  #options(exchange: Exchange, match: RouteMatch<Route>, allow: string): Response {
    const answer = this.#answers.options(allow, exchange.cid);
    const wanted = exchange.headers.get("access-control-request-method");
    if (wanted === null || !exchange.headers.has("origin")) return answer;
    routeFor(match, wanted, exchange.headers)?.cors?.preflight(exchange, answer, allow);
    return answer;
  }

  #begin(exchange: Exchange, route: Route): void {
    if (mayHaveKey(exchange.web.method)) {
      const key = exchange.headers.get(keyHeader);
      if (key !== null || route.keys?.required === true) {
        const once = new OnceOnly(exchange, this.#ledger, key);
        exchange.once = once;
        return void this.#runOnce(exchange, route, once);
      }
    }
    void this.#run(exchange, route);
  }

  /** What is sent is what is kept, or was. */
  async #runOnce(exchange: Exchange, route: Route, once: OnceOnly): Promise<void> {
    this.#held++;
    let response: Response;
    try {
      response = await route.endpoint.answer(exchange);
    } catch (error) {
      response = this.#knownAnswer(exchange, error) ?? this.#failure(exchange, error);
    }
    response = await once.settle(response);
    this.#held--;
    this.#answer(exchange, response);
    this.#tellIdle();
  }

  #knownAnswer(exchange: Exchange, error: unknown): Response | undefined {
    if (!(error instanceof AnsweredBefore)) return undefined;
    try {
      return renderKept(error.answer, exchange);
    } catch (lost) {
      return this.#failure(exchange, lost);
    }
  }

  async #run(exchange: Exchange, route: Route): Promise<void> {
    let response: Response;
    try {
      response = await route.endpoint.answer(exchange);
    } catch (error) {
      response = this.#failure(exchange, error);
    }
    this.#answer(exchange, response);
  }

  /** Before anything was done for it. */
  #refuse(exchange: Exchange, error: PlatformError): Response {
    const response = this.#failure(exchange, error);
    exchange.route?.cors?.permit(exchange, response);
    this.#count(exchange, response.status);
    return response;
  }

  readonly #expired = (exchange: Exchange, error: PlatformError): void => {
    this.#answer(exchange, this.#failure(exchange, error));
  };

  #answer(exchange: Exchange, response: Response): void {
    if (!exchange.answer(response)) {
      // Nobody will read it, and what it holds open must be closed.
      if (exchange.isStreaming) void response.body?.cancel();
      return;
    }
    exchange.route?.cors?.permit(exchange, response);
    this.inFlight--;
    this.#tellIdle();
    this.#count(exchange, response.status);
  }

  #tellIdle(): void {
    if (this.inFlight + this.#held > 0 || this.#onIdle.length === 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #count(exchange: Exchange, status: number): void {
    const { route, path, startedAt } = exchange;
    if (route === undefined && isSystemPath(path)) return;
    this.requestsTotal++;
    if (status >= 500) this.errorsTotal++;
    const durationMs = performance.now() - startedAt;
    route?.stats.record(status, durationMs);
    if (route?.isAudited === true) this.#audit(exchange, { status, durationMs });
  }

  #audit(
    { cid, route, web, path, principal, remoteAddress }: Exchange,
    { status, durationMs }: { readonly status: number; readonly durationMs: number },
  ): void {
    this.#logger.info("Request", {
      cid,
      channel: route?.channel.name,
      service: route?.service,
      method: web.method,
      path,
      status,
      durationMs: Math.round(durationMs * 1_000) / 1_000,
      principal: principal?.name,
      subject: principal?.subject,
      remoteAddress,
    });
  }

  #systemAnswer({ web, path, cid }: Exchange): Response {
    const state = { notReady: this.#notReady, server: this.#server };
    return this.#answers.json(systemAnswer({ method: web.method, path }, state), cid);
  }

  #failure(exchange: Exchange, error: unknown): Response {
    try {
      return this.#refusal(exchange, error);
    } catch (unsendable) {
      // What cannot be told must not leave a client without an answer.
      const { cid, route } = exchange;
      const service = route?.service;
      this.#logger.error("A failure could not be answered", { cid, service, error: unsendable });
      return this.#answers.problem(toProblem(new PlatformError("INTERNAL"), cid));
    }
  }

  #refusal(exchange: Exchange, error: unknown): Response {
    const { cid, route } = exchange;
    const answer = toProblem(error, cid);
    const channel = route?.channel.name;
    const service = route?.service;
    if (answer.isFault) {
      // Which fields of an output are wrong, and where a service failed, is for the log only.
      const details = isPlatformError(error) ? error.details : undefined;
      const cause = isPlatformError(error, "SERVICE_FAILED") ? error.cause ?? error : error;
      this.#logger.error("Request failed", { cid, channel, service, error: cause, details });
    } else this.#logger.debug("Request refused", { cid, channel, error });
    const refuse = route?.endpoint.failure;
    if (refuse !== undefined) return refuse.call(route!.endpoint, exchange, answer);
    const isUnauthorized = isPlatformError(error, "REQUEST_UNAUTHORIZED");
    const challenge = isUnauthorized ? route?.guard?.challenge : undefined;
    return this.#answers.problem(
      answer,
      challenge === undefined ? {} : { "WWW-Authenticate": challenge },
    );
  }
}

const hostReason = "The request has no Host header, or one that is not the target's";
