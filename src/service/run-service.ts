import { PlatformError } from "../errors/platform-error.ts";
import type { Call, InvokeOptions, RunnableService, ServiceMarks } from "./call.ts";
import { ServiceContext } from "./context/service-context.ts";
import type { Service } from "./define-service.ts";
import { runManaged } from "./running/managed-run.ts";
import { findService } from "./running/find-service.ts";
import { LimitedCall } from "./running/limited-call.ts";
import { NestedCall } from "./running/nested-call.ts";
import { checkInput, checkOutput, isThenable } from "./running/check-values.ts";

export { validate } from "./running/check-values.ts";
export { unknownService } from "./running/find-service.ts";

/**
 * Calls a service on behalf of a channel, with an input that its schema has already accepted, and
 * checks what it returns. The request's method picks the handler; the deadline is the call's.
 * Returns a promise only where the service or its schema does, or where it must wait for its turn.
 * Throws, or rejects with, what the service throws, SERVICE_OUTPUT_INVALID, SERVICE_BUSY,
 * SERVICE_INACTIVE, and REQUEST_ABANDONED when the call was over before its turn came.
 */
export function runService(runnable: RunnableService, input: unknown, call: Call): unknown {
  const { service } = runnable;
  const handle = service.verbs === undefined
    ? service.handle
    : verbOf(service, call.request.method);
  const waiting = call.runtime.turns?.enter(call);
  if (waiting !== undefined) return startAfter(waiting, { runnable, handle, input, call });
  return start(runnable, handle, input, call);
}

type Handle = Service["handle"];

/** Apart from `runService`, so that a call that need not wait pays for no closure. */
async function startAfter(
  waiting: Promise<void>,
  { runnable, handle, input, call }: {
    readonly runnable: RunnableService;
    readonly handle: Handle;
    readonly input: unknown;
    readonly call: Call;
  },
): Promise<unknown> {
  try {
    await waiting;
  } catch (error) {
    call.runtime.marks.drop?.(runnable.slot);
    throw error;
  }
  return await start(runnable, handle, input, call);
}

function verbOf(service: Service, method: string): Handle {
  const { verbs } = service;
  const verb = verbs?.get(method) ?? (method === "HEAD" ? verbs?.get("GET") : undefined);
  if (verb !== undefined) return verb;
  // A method without a handler is no call without a method.
  if (service.methods === undefined || method === "") return service.handle;
  throw new PlatformError("REQUEST_METHOD", { method });
}

function start(runnable: RunnableService, handle: Handle, input: unknown, call: Call): unknown {
  const { service } = runnable;
  const isManaged = service.hooks !== undefined || runnable.gate !== undefined ||
    service.slowMs !== undefined || runnable.isActive === false;
  return isManaged
    ? runManaged(runnable, handle, input, call)
    : runPlain(runnable, handle, input, call);
}

function runPlain(runnable: RunnableService, handle: Handle, input: unknown, call: Call): unknown {
  const { service, slot } = runnable;
  const { marks } = call.runtime;
  marks.enter(slot);
  call.onRun?.();
  let waits = false;
  try {
    const returned = handle(new ServiceContext(input, call, runnable));
    if (isThenable(returned)) {
      waits = true;
      return finishPlain(runnable, returned, marks);
    }
    return checkOutput(service, returned);
  } finally {
    if (!waits) marks.leave(slot);
  }
}

async function finishPlain(
  { service, slot }: RunnableService,
  returned: PromiseLike<unknown>,
  marks: ServiceMarks,
): Promise<unknown> {
  try {
    return checkOutput(service, await returned);
  } finally {
    marks.leave(slot);
  }
}

/**
 * Calls a service for another one. A name, and a service by its name, means what is deployed;
 * a service that is deployed nowhere, such as one private to a file, is called as it is. It has
 * the shortest of its own limit, `timeoutMs` and the caller's remaining time; without any left it
 * does not run. Rejects with SERVICE_UNKNOWN, SERVICE_INPUT_INVALID, SERVICE_NESTING,
 * REQUEST_TIMEOUT, REQUEST_ABANDONED and what `runService` rejects with.
 */
export async function invokeService(
  target: string | Service,
  input: unknown,
  call: Call,
  options?: InvokeOptions,
): Promise<unknown> {
  const runnable = findService(target, call);
  const { service } = runnable;
  const checking = checkInput(service, input);
  const value = checking instanceof Promise ? await checking : checking;
  const remainingMs = call.remaining();
  if (remainingMs <= 0) throw dropped(runnable, call);
  const nested = new NestedCall(call, service.name);
  const limitMs = shorter(service.timeoutMs, options?.timeoutMs);
  // Awaited here, so that the caller's stack is in the errors' ones.
  if (limitMs === undefined || limitMs >= remainingMs) {
    return await start(runnable, service.handle, value, nested);
  }
  using limited = new LimitedCall(nested, limitMs);
  const running = start(runnable, service.handle, value, limited);
  return isThenable(running) ? await limited.race(running) : running;
}

function shorter(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function dropped({ slot }: RunnableService, { runtime, signal }: Call): unknown {
  runtime.marks.drop?.(slot);
  return signal.aborted ? signal.reason : new PlatformError("REQUEST_ABANDONED");
}
