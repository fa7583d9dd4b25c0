import type { Logger } from "../telemetry/logger.ts";
import type { Call, RunnableService, ServiceRequest, ServiceResponse } from "./call.ts";
import type { Service } from "./define-service.ts";

/** Calls another service of this server, in process, with the same deadline and correlation id. */
export interface Invoke {
  <Input, Output>(service: Service<Input, Output>, input: NoInfer<Input>): Promise<Output>;
  /** By name: the result is not typed. Rejects with SERVICE_UNKNOWN. */
  (service: string, input?: unknown): Promise<unknown>;
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

  /** Writes structured lines that carry the service's name and the correlation id. */
  get log(): Logger {
    const { runtime, request } = this.#call;
    const service = this.#runnable.service.name;
    return this.#log ??= runtime.logger.child({ service, cid: request.cid });
  }

  /** Calls another service. */
  get invoke(): Invoke {
    const call = this.#call;
    // The overloads' types are checked at the caller; here a name or a service comes in.
    return ((service: string | Service, input: unknown) =>
      call.runtime.invoke(service, input, call)) as Invoke;
  }

  /** Aborted when the time is over or the client has gone. Pass it to whatever waits. */
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
