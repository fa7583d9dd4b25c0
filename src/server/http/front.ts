import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Answers } from "./answers.ts";
import { createCid } from "./cid.ts";
import { Deadlines } from "./deadlines.ts";
import { Exchange, type Peer } from "./exchange.ts";
import { allowedMethods, routeFor, runPipeline } from "./pipeline.ts";
import { toProblem } from "./problem.ts";
import type { Generation } from "./route.ts";
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

  /** Answers one request; never rejects. */
  readonly handle = async (web: Request, peer: Peer): Promise<Response> => {
    const generation = this.#generation;
    const exchange = new Exchange(web, {
      peer,
      cid: createCid(),
      runtime: generation.runtime,
      trustedProxies: this.#trustedProxies,
    });
    this.inFlight++;
    let response: Response;
    try {
      const answering = this.#answer(exchange, generation);
      response = answering instanceof Promise ? await answering : answering;
    } catch (error) {
      response = this.#failure(exchange, error);
    }
    this.#finish(exchange, response.status);
    return response;
  };

  #answer(exchange: Exchange, { router }: Generation): Response | Promise<Response> {
    const { web, path, cid } = exchange;
    if (isSystemPath(path)) return this.#systemAnswer(exchange);
    if (exchange.isHostWrong) throw new PlatformError("REQUEST_MALFORMED", { reason: hostReason });
    const match = router.find(path);
    if (match === undefined) throw new PlatformError("REQUEST_NO_CHANNEL");
    const { method } = web;
    const route = routeFor(match, method);
    if (route === undefined) {
      const allow = allowedMethods(match);
      if (method === "OPTIONS") return this.#answers.options(allow, cid);
      const error = new PlatformError("REQUEST_METHOD", { method });
      return this.#answers.problem(toProblem(error, cid), { Allow: allow });
    }
    exchange.route = route;
    exchange.paramValues = match.values;
    return this.#run(exchange, route);
  }

  async #run(exchange: Exchange, route: NonNullable<Exchange["route"]>): Promise<Response> {
    return this.#answers.output(exchange, await runPipeline(exchange, route, this.#deadlines));
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

  #finish(exchange: Exchange, status: number): void {
    exchange.finish();
    this.inFlight--;
    if (this.inFlight === 0 && this.#onIdle.length > 0) {
      for (const resolve of this.#onIdle.splice(0)) resolve();
    }
    const { route } = exchange;
    if (route === undefined && isSystemPath(exchange.path)) return;
    this.requestsTotal++;
    if (status >= 500) this.errorsTotal++;
    route?.stats.record(status, performance.now() - exchange.startedAt);
  }
}

const hostReason = "The request has no Host header, or one that is not the target's";
