import { PlatformError } from "../errors/platform-error.ts";
import { nearestName } from "../lib/nearest-name.ts";
import type { Call, RunnableService, ServiceMarks } from "./call.ts";
import { ServiceContext } from "./context.ts";
import type { Service } from "./define-service.ts";
import { describeIssues, type Schema, type Validation } from "./schema.ts";

/** A service without an invocation of its own, such as one called by value, has this slot. */
const noSlot = 0;

/** Validates without waiting where the schema does not. */
export function validate(
  schema: Schema | undefined,
  value: unknown,
): Validation | Promise<Validation> {
  return schema === undefined ? { value } : schema["~standard"].validate(value);
}

/**
 * Calls a service with an input that its schema has already accepted, and checks what it returns.
 * Returns a promise only where the service or its schema does. Throws, or rejects with, what the
 * service throws, or SERVICE_OUTPUT_INVALID.
 */
export function runService(runnable: RunnableService, input: unknown, call: Call): unknown {
  const { service, slot } = runnable;
  const { marks } = call.runtime;
  marks.enter(slot);
  let waits = false;
  try {
    const returned = service.handle(new ServiceContext(input, call, runnable));
    if (isThenable(returned)) {
      waits = true;
      return finishService(runnable, returned, marks);
    }
    return checkOutput(service, returned);
  } finally {
    if (!waits) marks.leave(slot);
  }
}

async function finishService(
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

function checkOutput(service: Service, output: unknown): unknown {
  if (service.output === undefined) return output;
  const checking = validate(service.output, output);
  if (checking instanceof Promise) return checking.then((checked) => outputOf(service, checked));
  return outputOf(service, checking);
}

function outputOf(service: Service, checked: Validation): unknown {
  if (checked.issues === undefined) return checked.value;
  throw new PlatformError("SERVICE_OUTPUT_INVALID", { service: service.name }, {
    details: { errors: describeIssues(checked.issues) },
  });
}

/**
 * Calls a service for another one. A name, and a service by its name, means what is deployed;
 * a service that is deployed nowhere, such as one private to a file, is called as it is.
 * Rejects with SERVICE_UNKNOWN, SERVICE_INPUT_INVALID and what `runService` rejects with.
 */
export async function invokeService(
  target: string | Service,
  input: unknown,
  call: Call,
): Promise<unknown> {
  const runnable = findService(target, call);
  const checking = validate(runnable.service.input, input);
  const checked = checking instanceof Promise ? await checking : checking;
  if (checked.issues !== undefined) {
    throw new PlatformError("SERVICE_INPUT_INVALID", { service: runnable.service.name }, {
      details: { errors: describeIssues(checked.issues) },
    });
  }
  return await runService(runnable, checked.value, call);
}

function findService(target: string | Service, call: Call): RunnableService {
  const { services } = call.runtime;
  const name = typeof target === "string" ? target : target.name;
  const found = services.get(name);
  if (found !== undefined) return found;
  if (typeof target !== "string") return { service: target, slot: noSlot };
  throw unknownService(name, services.keys());
}

/** The error for a name that no service has, with the nearest one that exists. */
export function unknownService(name: string, known: Iterable<string>): PlatformError {
  const near = nearestName(name, known);
  const hint = near === undefined ? "" : `, did you mean "${near}"?`;
  return new PlatformError("SERVICE_UNKNOWN", { name, hint });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
