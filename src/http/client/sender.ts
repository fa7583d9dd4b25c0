import { finished } from "node:stream";
import type { Code } from "../../errors/codes.ts";
import {
  type ErrorParams,
  isPlatformError,
  PlatformError,
  type PlatformErrorOptions,
} from "../../errors/platform-error.ts";
import { backoffMs } from "../../lib/backoff.ts";
import { delay } from "../../lib/wait.ts";
import { createTraceparent } from "../../service/trace.ts";
import { timeoutHeader } from "../timeout-header.ts";
import { type Address, AddressList, type Choice } from "./addresses.ts";
import type { CallOutcome, Permit } from "./breaker.ts";
import { sendByCredential } from "./credential-exchange.ts";
import { SenderFigures } from "./figures.ts";
import { Flight } from "./flight.ts";
import { isWorking, pingAddresses, type PingReport } from "./ping.ts";
import { discardReply } from "./reply-body.ts";
import { isPassing, retryAfterMs } from "./retry-after.ts";
import { RetryBudget } from "./retry-budget.ts";
import type { HttpSend, HttpSenderOptions, ReplyReader } from "./sender-options.ts";
import { type HttpReply, PooledTransport, type Transport } from "./transport.ts";
import { TransportFailure } from "./transport-failure.ts";

/** What a connection says of itself. */
export interface SenderStatus {
  readonly state: "ready" | "open" | "half-open";
  readonly figures: Readonly<Record<string, number>>;
  readonly lastError?: string;
}

/** A peer that made a call wait for less than this has not shown that it is ill. */
const patienceMs = 1_000;

/** One call on its way. */
interface Journey<T> {
  readonly request: HttpSend;
  readonly read: ReplyReader<T>;
  readonly flight: Flight;
  readonly tried: Set<Address>;
  /** From 1; going to the next address because one could not be reached is no new attempt. */
  attempt: number;
  reply?: HttpReply;
}

/** What became of one attempt: the end, or leave for another one. */
type Attempt<T> = { readonly value: T } | { readonly waitMs: number } | TransportFailure;

/**
 * Sends the calls of one outgoing connection: chooses an address, shows the credential, keeps to
 * the deadline, repeats what may be repeated, and keeps away from a side that does not work.
 */
export class HttpSender {
  readonly #options: HttpSenderOptions;
  readonly #addresses: AddressList;
  readonly #transport: Transport;
  readonly #budget = new RetryBudget();
  readonly #figures = new SenderFigures();
  /** Somebody waits until nothing is in flight. */
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: HttpSenderOptions) {
    const { addresses: urls, balance, breaker, now = () => performance.now() } = options;
    this.#options = options;
    this.#addresses = new AddressList({ urls, balance, breaker, now });
    this.#transport = new PooledTransport(options);
  }

  /**
   * Makes a call and resolves with what `read` makes of its answer, whatever its status. Rejects
   * with OUTGOING_UNREACHABLE, OUTGOING_UNTRUSTED, OUTGOING_TIMEOUT, OUTGOING_DEADLINE (the time
   * was over before), OUTGOING_BREAKER_OPEN, what `read` and the credential reject with, and the
   * reason of the call's signal.
   */
  async send<T>(request: HttpSend, read: ReplyReader<T>): Promise<T> {
    const { call, timeoutMs = this.#options.timeoutMs } = request;
    const limitMs = Math.min(timeoutMs, call.remaining());
    if (limitMs <= 0 || call.signal.aborted) {
      this.#figures.dropped++;
      call.signal.throwIfAborted();
      throw this.#error("OUTGOING_DEADLINE");
    }
    const timeout = () => this.#error("OUTGOING_TIMEOUT", { timeoutMs: Math.round(limitMs) });
    const flight = new Flight(call.signal, limitMs, timeout);
    const journey: Journey<T> = { request, read, flight, tried: new Set(), attempt: 1 };
    this.#figures.calls++;
    this.#figures.inFlight++;
    this.#budget.deposit();
    try {
      return await this.#travel(journey);
    } catch (error) {
      this.#note(error);
      throw error;
    } finally {
      if (--this.#figures.inFlight === 0) this.#idle?.resolve();
      flight.stopClock();
      // Whoever was handed the body as a stream still reads it, until the call ends.
      const body = journey.reply?.body;
      if (body === undefined || body.readableEnded || body.destroyed) flight.end();
      else finished(body, () => flight.end());
    }
  }

  /**
   * Asks every address once, whatever their circuit breakers say. Resolves with what they answered,
   * in words, when one of them works; rejects as `send` does, or with OUTGOING_STATUS.
   */
  async ping(request: HttpSend): Promise<PingReport> {
    const { timeoutMs } = this.#options;
    const timeout = () => this.#error("OUTGOING_TIMEOUT", { timeoutMs });
    const flight = new Flight(request.call.signal, timeoutMs, timeout);
    try {
      return await pingAddresses(this.#addresses.all, async (address) => {
        try {
          const reply = await this.#exchange(request, address, flight);
          discardReply(reply);
          if (isWorking(reply.status)) return reply.status;
          const { method, target: path } = request;
          throw this.#error("OUTGOING_STATUS", { status: reply.status, method, path });
        } catch (error) {
          throw flight.signal.aborted ? flight.signal.reason : this.#unreachable(error, address);
        }
      });
    } finally {
      flight.end();
    }
  }

  status(): SenderStatus {
    const { lastError } = this.#figures;
    const figures = this.#figures.view(this.#transport.opened);
    const { state } = this.#addresses;
    return { state, figures, ...(lastError === undefined ? {} : { lastError }) };
  }

  /** Idempotent. Calls in flight may finish. */
  async close(): Promise<void> {
    this.#transport.close();
    // Calls that are under way still need what the credential keeps open.
    if (this.#figures.inFlight > 0) await (this.#idle ??= Promise.withResolvers<void>()).promise;
    await this.#options.credential?.close?.();
  }

  async #travel<T>(journey: Journey<T>): Promise<T> {
    const { tried, flight, request } = journey;
    for (;;) {
      const choice = this.#choose(tried);
      if (tried.size > 0 && !tried.has(choice.address)) this.#figures.failovers++;
      const attempt = await this.#attempt(journey, choice);
      if (!(attempt instanceof TransportFailure) && "value" in attempt) return attempt.value;
      tried.add(choice.address);
      if (attempt instanceof TransportFailure && attempt.phase === "connect") {
        this.#addresses.rest(choice.address);
        if (isReplayable(request) && this.#addresses.hasFresh(tried)) continue;
      }
      const waitMs = attempt instanceof TransportFailure
        ? this.#retryInMs(journey, attempt)
        : attempt.waitMs;
      if (waitMs === undefined) throw this.#unreachable(attempt, choice.address);
      journey.attempt++;
      await delay(waitMs, { signal: flight.signal });
    }
  }

  #choose(tried: ReadonlySet<Address>): Choice {
    const choice = this.#addresses.choose(tried);
    if (choice !== undefined) return choice;
    this.#figures.refused++;
    const reason = this.#figures.lastError ?? "unknown";
    const retryAfterMs = Math.max(1, this.#addresses.retryInMs);
    throw this.#error("OUTGOING_BREAKER_OPEN", { reason }, { retryAfterMs });
  }

  /** Makes one attempt and tells the address's circuit breaker how it ended. */
  async #attempt<T>(journey: Journey<T>, { address, settle }: Choice): Promise<Attempt<T>> {
    const { request, read, flight } = journey;
    const tell = once(settle);
    const startedAt = performance.now();
    let outcome: CallOutcome = "unknown";
    try {
      const reply = journey.reply = await this.#exchange(request, address, flight);
      outcome = isFailure(request, reply) ? "failure" : "success";
      const reason = `HTTP ${reply.status} from ${address.shown}`;
      if (isPassing(reply.status)) {
        tell(outcome); // so that it is known whether another attempt may be made at all
        const waitMs = this.#retryInMs(journey, reply);
        if (waitMs !== undefined) {
          this.#figures.saw(reason);
          discardReply(reply);
          return { waitMs };
        }
      }
      if (outcome === "failure") this.#figures.fail(reason);
      return { value: await read(reply) };
    } catch (error) {
      if (flight.signal.aborted) {
        const { reason } = flight.signal;
        const waitedMs = performance.now() - startedAt;
        const isLong = waitedMs >= Math.min(patienceMs, this.#options.timeoutMs);
        if (isPlatformError(reason, "OUTGOING_TIMEOUT") && isLong) outcome = "failure";
        throw reason;
      }
      if (!(error instanceof TransportFailure)) throw error;
      outcome = "failure";
      this.#figures.saw(`${error.message} from ${address.shown}`);
      return error;
    } finally {
      tell(outcome);
    }
  }

  /**
   * How long to wait before the next attempt; undefined when there must be none: what the request
   * does might be done twice, or attempts, budget or time are used up.
   */
  #retryInMs(
    { request, attempt, flight }: Journey<unknown>,
    after: TransportFailure | HttpReply,
  ): number | undefined {
    const isSafe = request.isIdempotent ||
      (after instanceof TransportFailure && after.phase === "connect");
    const isHopeless = after instanceof TransportFailure && after.isTls;
    const { retries } = this.#options;
    if (!isSafe || isHopeless || !isReplayable(request) || attempt >= retries.attempts) {
      return undefined;
    }
    if (this.#addresses.state === "open") return undefined;
    const asked = after instanceof TransportFailure ? undefined : retryAfterMs(after.headers);
    const waitMs = asked ?? backoffMs(attempt, retries);
    if (waitMs >= flight.remainingMs() || !this.#budget.withdraw()) return undefined;
    this.#figures.retries++;
    return waitMs;
  }

  /** Sends the request, once more with a new credential when the first one was refused. */
  async #exchange(request: HttpSend, { url }: Address, flight: Flight): Promise<HttpReply> {
    const { credential } = this.#options;
    const headers = this.#headers(request, flight);
    const reply = await this.#sendOnce(request, { url, headers, flight });
    const isRefused = reply.status === 401 && isReplayable(request) &&
      credential?.refresh?.(headers) === true;
    if (!isRefused) return reply;
    discardReply(reply);
    return await this.#sendOnce(request, {
      url,
      headers: this.#headers(request, flight),
      flight,
    });
  }

  async #sendOnce(
    { method, target, body }: HttpSend,
    { url: base, headers, flight }: {
      readonly url: URL;
      readonly headers: Headers;
      readonly flight: Flight;
    },
  ): Promise<HttpReply> {
    const { credential, connectTimeoutMs, tls } = this.#options;
    const { signal } = flight;
    const url = urlOf(base, target);
    const applying = credential?.apply({ url, headers, signal });
    if (applying !== undefined) await applying;
    const wire = { method, url, headers, body, signal, connectTimeoutMs };
    if (credential?.send === undefined) return await this.#transport.send(wire);
    try {
      return await sendByCredential((...args) => credential.send!(...args), wire, tls);
    } catch (error) {
      if (isPlatformError(error)) throw error;
      throw new TransportFailure(error, "sent");
    }
  }

  #headers({ headers: own, call }: HttpSend, flight: Flight): Headers {
    const headers = new Headers(own);
    headers.set("traceparent", createTraceparent(call.request));
    headers.set("X-Dragoman-Cid", call.request.cid);
    headers.set(timeoutHeader, String(Math.floor(flight.remainingMs())));
    return headers;
  }

  #note(error: unknown): void {
    if (!isPlatformError(error) || error.kind !== "peer") return;
    if (error.code === "OUTGOING_TIMEOUT") this.#figures.timeouts++;
    // Those who read answers speak of what has been counted, or of what was no failure.
    const isOurs = error.code === "OUTGOING_TIMEOUT" || error.code === "OUTGOING_UNREACHABLE" ||
      error.code === "OUTGOING_UNTRUSTED" || error.code.startsWith("SECURITY_");
    if (isOurs) this.#figures.fail(error.message);
  }

  #unreachable(failure: unknown, address: Address): unknown {
    if (!(failure instanceof TransportFailure)) return failure;
    const code = failure.isTls ? "OUTGOING_UNTRUSTED" : "OUTGOING_UNREACHABLE";
    const params = { address: address.shown, reason: failure.message };
    const details = { mayHaveRun: failure.phase === "sent" };
    return this.#error(code, params, { cause: failure, details });
  }

  #error(code: Code, params: ErrorParams = {}, options: PlatformErrorOptions = {}): PlatformError {
    const { kind, name } = this.#options;
    return new PlatformError(code, { kind, name, ...params }, options);
  }
}

/** Only the first outcome counts. */
function once(settle: Permit): Permit {
  let isSettled = false;
  return (outcome) => {
    if (!isSettled) settle(outcome);
    isSettled = true;
  };
}

function isFailure({ isFailure: judge }: HttpSend, { status, headers }: HttpReply): boolean {
  return judge === undefined ? status >= 500 : judge(status, headers);
}

/** A stream cannot be read a second time. */
function isReplayable({ body }: HttpSend): boolean {
  return !(body instanceof ReadableStream);
}

function urlOf(base: URL, target: string): URL {
  if (target === "") return new URL(base);
  return new URL(base.origin + base.pathname.replace(/\/$/, "") + target);
}
