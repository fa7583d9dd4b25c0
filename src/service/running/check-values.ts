import { PlatformError } from "../../errors/platform-error.ts";
import type { Service } from "../define-service.ts";
import { describeIssues, type Schema, type Validation } from "../schema.ts";

/** Validates without waiting where the schema does not. */
export function validate(
  schema: Schema | undefined,
  value: unknown,
): Validation | Promise<Validation> {
  return schema === undefined ? { value } : schema["~standard"].validate(value);
}

/** What the service's schema makes of an input of another service. Throws SERVICE_INPUT_INVALID. */
export function checkInput(service: Service, input: unknown): unknown {
  const checking = validate(service.input, input);
  return checking instanceof Promise
    ? checking.then((checked) => inputOf(service, checked))
    : inputOf(service, checking);
}

function inputOf(service: Service, checked: Validation): unknown {
  if (checked.issues === undefined) return checked.value;
  throw new PlatformError("SERVICE_INPUT_INVALID", { service: service.name }, {
    details: { errors: describeIssues(checked.issues) },
  });
}

/** What a service's output schema makes of what it returned. Throws SERVICE_OUTPUT_INVALID. */
export function checkOutput(service: Service, output: unknown): unknown {
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

/** True for a promise, whoever made it. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
