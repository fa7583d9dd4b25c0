import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Answers } from "./answers.ts";
import { createCid } from "./cid.ts";
import { Deadlines } from "./deadlines.ts";
import { Exchange, type Peer } from "./exchange.ts";
import { allowedMethods, routeFor, runPipeline } from "./pipeline.ts";
import { toProblem } from "./problem.ts";
import type { Generation, Route } from "./route.ts";
import { isSystemPath, systemAnswer } from "./system-routes.ts";

export interface HttpFrontOptions {
  /** The configuration that is served until the first `use`. */
  readonly generation: Generation;
  readonly logger: Logger;
  /** The server's name, where clients may know it. */
  readonly server?: string | undefined;
  readonly trustedProxies: readonly string[];
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
  readonly #deadlines = new Deadlines();
  readonly #logger: Logger;
  readonly #server: string | undefined;
  readonly #trustedProxies: ReadonlySet<string>;
  #generation: Generation;
  #notReady: string | undefined = "it has no configuration yet";
  #onIdle: (() => void)[] = [];

  constructor({ generation, logger, server, trustedProxies }: HttpFrontOptions) {
    this.#generation = generation;
    this.#logger = logger;
    this.#server = server;
    this.#trustedProxies = new Set(trustedProxies);
    this.#answers = new Answers({ server });
  }

  /** Serves `generation` from the next request on. */
  use(generation: Generation): void {
    this.#generation = generation;
    this.#notReady = undefined;
  }

  /** Says "not ready" to whoever asks and ends connections, but goes on answering. */
  beginDrain(): void {
    this.#notReady = "it is draining";
    this.#answers.closeConnections();
  }

  /** Resolves when no request is in flight. */
  idle(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Answers one request; never throws or rejects. */
  readonly handle = (web: Request, peer: Peer): Response | Promise<Response> => {
    const generation = this.#generation;
    const exchange = new Exchange(web, {
      peer,
      cid: createCid(),
      runtime: generation.runtime,
      trustedProxies: this.#trustedProxies,
    });
    let route: Route | Response;
    try {
      route = this.#match(exchange, generation);
    } catch (error) {
      route = this.#failure(exchange, error);
    }
    if (route instanceof Response) {
      this.#count(exchange, route.status);
      return route;
    }
    exchange.route = route;
    this.inFlight++;
    return new Promise((resolve) => {
      exchange.expectAnswer(resolve, this.#expired);
      void this.#run(exchange, exchange.route!); // set just above
    });
  };

  /** The route of a request, or its answer where no route is needed. */
  #match(exchange: Exchange, { router }: Generation): Route | Response {
    const { web, path, cid } = exchange;
    if (isSystemPath(path)) return this.#systemAnswer(exchange);
    if (exchange.isHostWrong) throw new PlatformError("REQUEST_MALFORMED", { reason: hostReason });
    const match = router.find(path);
    if (match === undefined) throw new PlatformError("REQUEST_NO_CHANNEL");
    const { method } = web;
    const route = routeFor(match, method);
    if (route !== undefined) {
      exchange.paramValues = match.values;
      return route;
    }
    const allow = allowedMethods(match);
    if (method === "OPTIONS") return this.#answers.options(allow, cid);
    const error = new PlatformError("REQUEST_METHOD", { method });
    return this.#answers.problem(toProblem(error, cid), { Allow: allow });
  }

  async #run(exchange: Exchange, route: Route): Promise<void> {
    let response: Response;
    try {
      const output = await runPipeline(exchange, route, this.#deadlines);
      response = this.#answers.output(exchange, output);
    } catch (error) {
      response = this.#failure(exchange, error);
    }
    this.#answer(exchange, response);
  }

  readonly #expired = (exchange: Exchange, error: PlatformError): void => {
    this.#answer(exchange, this.#failure(exchange, error));
  };

  #answer(exchange: Exchange, response: Response): void {
    if (!exchange.answer(response)) return;
    this.inFlight--;
    if (this.inFlight === 0 && this.#onIdle.length > 0) {
      for (const resolve of this.#onIdle.splice(0)) resolve();
    }
    this.#count(exchange, response.status);
  }

  #count({ route, path, startedAt }: Exchange, status: number): void {
    if (route === undefined && isSystemPath(path)) return;
    this.requestsTotal++;
    if (status >= 500) this.errorsTotal++;
    route?.stats.record(status, performance.now() - startedAt);
  }

  #systemAnswer({ web, path, cid }: Exchange): Response {
    const state = { notReady: this.#notReady, server: this.#server };
    return this.#answers.json(systemAnswer({ method: web.method, path }, state), cid);
  }

  #failure(exchange: Exchange, error: unknown): Response {
    const { cid, route } = exchange;
    const answer = toProblem(error, cid);
    const channel = route?.channel.name;
    const service = route?.runnable.service.name;
    if (answer.isFault) {
      // Which fields of an output are wrong, and where a service failed, is for the log only.
      const details = isPlatformError(error) ? error.details : undefined;
      const cause = isPlatformError(error, "SERVICE_FAILED") ? error.cause : error;
      this.#logger.error("Request failed", { cid, channel, service, error: cause, details });
    } else this.#logger.debug("Request refused", { cid, channel, error });
    const isUnauthorized = isPlatformError(error, "REQUEST_UNAUTHORIZED");
    const challenge = isUnauthorized ? route?.guard?.challenge : undefined;
    return this.#answers.problem(
      answer,
      challenge === undefined ? {} : { "WWW-Authenticate": challenge },
    );
  }
}

const hostReason = "The request has no Host header, or one that is not the target's";
