import { PlatformError } from "../../errors/platform-error.ts";
import type { Call, ServiceRequest, ServiceResponse, ServiceRuntime } from "../call.ts";

/** How many services may have invoked one another; more are a circle. */
const depthMax = 100;

/**
 * The call of a service that another one invoked: the outer call, one level deeper. Services that
 * invoke one another in a circle would fill the memory before their time is over.
 */
export class NestedCall implements Call {
  readonly depth: number;
  readonly #outer: Call;

  /** Throws SERVICE_NESTING. */
  constructor(outer: Call, service: string) {
    this.depth = (outer.depth ?? 0) + 1;
    if (this.depth > depthMax) throw new PlatformError("SERVICE_NESTING", { service, depthMax });
    // Not a chain: what a deep call asks for must not pass through all levels.
    this.#outer = outer instanceof NestedCall ? outer.#outer : outer;
  }

  get request(): ServiceRequest {
    return this.#outer.request;
  }

  get response(): ServiceResponse {
    return this.#outer.response;
  }

  get signal(): AbortSignal {
    return this.#outer.signal;
  }

  get runtime(): ServiceRuntime {
    return this.#outer.runtime;
  }

  remaining(): number {
    return this.#outer.remaining();
  }
}
