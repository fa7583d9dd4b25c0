import type { Logger } from "../../telemetry/logger.ts";
import type { Cache } from "../cache.ts";
import type { Call, RunnableService, ServiceRequest, ServiceResponse } from "../call.ts";
import type { KvdbStore } from "../kvdb-store.ts";
import type { RestClient } from "../outgoing/rest-client.ts";
import type { ConfigOf, NameOf, PushChannelName, SoapClientOf } from "../register.ts";
import type { PushTarget } from "../socket-push.ts";
import type { ThreadTask } from "../threads.ts";
import { createInvokeAsync, createSchedule, type Schedule } from "./durable.ts";
import { createInvoke, type Invoke, type InvokeAsync } from "./invoke.ts";
import { createLock, type WithLock } from "./lock.ts";
import { createParallel, type Parallel } from "./parallel.ts";
import { createRetry, type Retry } from "./retry.ts";
import { createTime, type Time } from "./time.ts";
import { createTranslate, type Translate } from "./translate.ts";

/**
 * Clients of outgoing connections: calls carry this call's correlation id, trace and deadline. A
 * name that there is not throws OUTGOING_UNKNOWN.
 */
export interface OutgoingAccess {
  rest(name: NameOf<"rest">): RestClient;
  soap<Name extends NameOf<"soap">>(name: Name): SoapClientOf<Name>;
}

/** Sends messages to clients of a WebSocket channel, on whatever server they are connected. */
export interface PushChannel {
  /** Best effort; without `to` everybody on the channel. */
  send(message: unknown, to?: PushTarget): Promise<void>;
}

/**
 * What a service is given. Everything but `input` is made when it is first asked for, and may be
 * taken apart: `handle({ input, invoke, log })`.
 */
export class ServiceContext<Input = unknown> {
  readonly input: Input;
  readonly #call: Call;
  readonly #runnable: RunnableService;
  #log: Logger | undefined;

  constructor(input: Input, call: Call, runnable: RunnableService) {
    this.input = input;
    this.#call = call;
    this.#runnable = runnable;
  }

  /** The request behind this call. */
  get request(): ServiceRequest {
    return this.#call.request;
  }

  /** Status and headers of the answer. */
  get response(): ServiceResponse {
    return this.#call.response;
  }

  /**
   * Writes structured lines that carry the service's name and the correlation id; from which level
   * on, its ServiceSettings say.
   */
  get log(): Logger {
    const { runtime, request } = this.#call;
    const { service, logLevel } = this.#runnable;
    return this.#log ??= runtime.logger.child(
      { service: service.name, cid: request.cid },
      logLevel,
    );
  }

  /** Clients of outgoing connections. */
  get out(): OutgoingAccess {
    const call = this.#call;
    const { outgoing } = call.runtime.facilities;
    return {
      rest: (name) => outgoing.client("rest", name, call),
      // The register says more of the client than the connection knows.
      soap: <Name extends string>(name: Name) =>
        outgoing.client("soap", name, call) as SoapClientOf<Name>,
    };
  }

  /** Calls another service and waits for it. */
  get invoke(): Invoke {
    return createInvoke(this.#call);
  }

  /** Hands an invocation over to the cluster, which runs it even when this server ends. */
  get invokeAsync(): InvokeAsync {
    return createInvokeAsync(this.#call);
  }

  /** Services that run later. */
  get schedule(): Schedule {
    return createSchedule(this.#call);
  }

  /** Calls several services side by side. */
  get parallel(): Parallel {
    return createParallel(this.#call);
  }

  /** Repeats what fails, with growing waits. */
  get retry(): Retry {
    return createRetry(this.#call);
  }

  /** Runs something while nobody else in the cluster runs what takes the same lock. */
  get lock(): WithLock {
    return createLock(this.#call, this.log);
  }

  /** Runs a task in a thread, so that this process's other requests go on meanwhile. */
  get runInThread(): <Given, Output>(
    task: ThreadTask<Given, Output>,
    input: NoInfer<Given>,
  ) => Promise<Output> {
    const call = this.#call;
    return (task, input) =>
      // The task says what it returns.
      call.runtime.facilities.threads.run(task, input, call.signal) as Promise<
        Awaited<ReturnType<typeof task.run>>
      >;
  }

  /** A cache: `ctx.cache()` is the one that always exists. Throws CACHE_UNKNOWN. */
  get cache(): (name?: NameOf<"caches"> | "default") => Cache {
    const { caches } = this.#call.runtime.facilities;
    return (name = "default") => caches.get(name);
  }

  /** The key/value database, for data that may be lost: counters, sessions, flags. */
  get kvdb(): KvdbStore {
    return this.#call.runtime.facilities.kvdb;
  }

  /** Looks words up in a Dictionary object. */
  get translate(): Translate {
    return createTranslate(this.#call);
  }

  /** Values of a UserConfig object. Throws CONFIG_OBJECT_UNKNOWN. */
  get config(): <Name extends NameOf<"configs">>(name: Name) => ConfigOf<Name> {
    const { configs } = this.#call.runtime.facilities;
    // The register says more of the values than the object does.
    return <Name extends string>(name: Name) => configs.get(name) as ConfigOf<Name>;
  }

  /** The clients of a WebSocket channel. */
  get push(): (channel: PushChannelName) => PushChannel {
    const { push } = this.#call.runtime.facilities;
    return (channel) => ({ send: (message, to = {}) => push.send(channel, message, to) });
  }

  /** Times and dates; in tests, the test's own clock. */
  get time(): Time {
    const call = this.#call;
    return createTime(call.runtime.facilities.clock, () => call.signal);
  }

  /**
   * Aborted when the time is over, or the client has gone and did not send an `Idempotency-Key`.
   * Pass it to whatever waits.
   */
  get signal(): AbortSignal {
    return this.#call.signal;
  }

  /** Milliseconds until the deadline; never below 0. */
  get remaining(): () => number {
    const call = this.#call;
    return () => call.remaining();
  }

  /** The name of this server. */
  get server(): string {
    return this.#call.runtime.server;
  }

  /** The name of this cluster. */
  get cluster(): string {
    return this.#call.runtime.cluster;
  }
}
