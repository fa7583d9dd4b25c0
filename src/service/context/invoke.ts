import type { Call, InvokeOptions } from "../call.ts";
import type { Service } from "../define-service.ts";
import type { InputOf, OutputOf, ServiceName } from "../register.ts";

export type { InvokeOptions } from "../call.ts";

// An input that may be undefined may be left out.
type InvokeArgs<Input, Options> = undefined extends Input
  ? readonly [input?: Input, options?: Options]
  : readonly [input: Input, options?: Options];

/**
 * Calls another service of this server, in process: with the same correlation id and trace, and
 * never beyond this call's deadline. Rejects with what that service throws, SERVICE_INPUT_INVALID,
 * SERVICE_BUSY, SERVICE_INACTIVE, and REQUEST_TIMEOUT when its own time is over.
 */
export interface Invoke {
  <Input, Output>(
    service: Service<Input, Output>,
    ...args: InvokeArgs<NoInfer<Input>, InvokeOptions>
  ): Promise<Output>;
  /** By name, typed where the register knows it. Rejects with SERVICE_UNKNOWN. */
  <Name extends ServiceName>(
    service: Name,
    ...args: InvokeArgs<InputOf<Name>, InvokeOptions>
  ): Promise<OutputOf<Name>>;
}

/** How an invocation is kept and tried. */
export interface InvokeAsyncOptions {
  /** Not before so many milliseconds have passed. Default 0. */
  readonly delayMs?: number;
  /** How often it is tried before it is kept as failed. Default 5. */
  readonly attempts?: number;
  /** Wait before the second attempt, doubled for each further one, up to an hour. Default 1,000. */
  readonly retryMs?: number;
  /**
   * A service that is told how it ended: `{ id, service, ok, output?, error?, attempts, cid }`.
   */
  readonly callback?: ServiceName | Service;
}

/** An invocation that will run. */
export interface PendingInvocation {
  /** For `ctx.schedule.cancel` and `dragoman invocation show`. */
  readonly id: string;
}

/**
 * Hands an invocation over to the cluster; it is on disk when this resolves, and runs at least once
 * on any server, even when this one ends. Its input is checked first and must be plain JSON.
 * Rejects with SERVICE_UNKNOWN, SERVICE_INPUT_INVALID, and ODB_UNREACHABLE (then nothing happened).
 */
export interface InvokeAsync {
  <Input>(
    service: Service<Input>,
    ...args: InvokeArgs<NoInfer<Input>, InvokeAsyncOptions>
  ): Promise<PendingInvocation>;
  <Name extends ServiceName>(
    service: Name,
    ...args: InvokeArgs<InputOf<Name>, InvokeAsyncOptions>
  ): Promise<PendingInvocation>;
}

/** `ctx.invoke` of one call. */
export function createInvoke(call: Call): Invoke {
  // The overloads' types are checked at the caller; here a name or a service comes in.
  return ((service: string | Service, input?: unknown, options?: InvokeOptions) =>
    call.runtime.invoke(service, input, call, options)) as Invoke;
}
