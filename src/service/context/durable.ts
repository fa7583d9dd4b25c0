import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import { plainCopy } from "../../lib/plain-copy.ts";
import type { Call } from "../call.ts";
import type { Service } from "../define-service.ts";
import type { ServiceName } from "../register.ts";
import { checkInput } from "../running/check-values.ts";
import { findService } from "../running/find-service.ts";
import type { InvokeAsync, InvokeAsyncOptions, PendingInvocation } from "./invoke.ts";

type WithoutDelay = Omit<InvokeAsyncOptions, "delayMs">;

/** Services that run later. What it promises is what `invokeAsync` promises. */
export interface Schedule {
  /** Invokes a service once, when `delayMs` milliseconds have passed. */
  after<Input>(
    delayMs: number,
    service: Service<Input> | ServiceName,
    input: NoInfer<Input>,
    options?: WithoutDelay,
  ): Promise<PendingInvocation>;
  /** Invokes a service once, at a time; at once when that has passed. */
  at<Input>(
    time: Date,
    service: Service<Input> | ServiceName,
    input: NoInfer<Input>,
    options?: WithoutDelay,
  ): Promise<PendingInvocation>;
  /** Takes back what has not begun; false when there is no such thing. */
  cancel(id: string): Promise<boolean>;
}

/** `ctx.invokeAsync` of one call. */
export function createInvokeAsync(call: Call): InvokeAsync {
  // The overloads' types are checked at the caller; here a name or a service comes in.
  return ((service: string | Service, input?: unknown, options?: InvokeAsyncOptions) =>
    enqueue(call, service, input, options)) as InvokeAsync;
}

/** `ctx.schedule` of one call. */
export function createSchedule(call: Call): Schedule {
  const { clock, durable } = call.runtime.facilities;
  return {
    after: (delayMs, service, input, options) =>
      enqueue(call, service, input, { ...options, delayMs }),
    at: (time, service, input, options) => {
      const delayMs = Math.max(0, time.getTime() - clock.now());
      return enqueue(call, service, input, { ...options, delayMs });
    },
    cancel: (id) => durable.cancel(id),
  };
}

async function enqueue(
  call: Call,
  target: string | Service,
  given: unknown,
  { delayMs = 0, attempts = 5, retryMs = 1_000, callback }: InvokeAsyncOptions = {},
): Promise<PendingInvocation> {
  const service = deployed(target, call);
  const input = plainJson(given, service.name);
  // The service validates it again when it runs: what is kept is what came, not what came of it.
  await checkInput(service, input);
  const id = await call.runtime.facilities.durable.enqueue({
    service: service.name,
    input,
    cid: call.request.cid,
    delayMs,
    attemptsMax: attempts,
    retryMs,
    callback: callback === undefined ? undefined : deployed(callback, call).name,
  });
  return { id };
}

// Another server may run it, so that only what is deployed can be meant.
function deployed(target: string | Service, call: Call): Service {
  return findService(typeof target === "string" ? target : target.name, call).service;
}

function plainJson(input: unknown, service: string): unknown {
  if (input === undefined) return {};
  try {
    const copy = plainCopy(input);
    if (copy === undefined) throw new TypeError(`It is a ${typeof input}`);
    return copy;
  } catch (error) {
    const errors = [{ pointer: "", detail: `It is not plain JSON: ${reasonOf(error)}` }];
    throw new PlatformError("SERVICE_INPUT_INVALID", { service }, {
      cause: error,
      details: { errors },
    });
  }
}
