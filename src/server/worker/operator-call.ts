import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import type { Call, ServiceRequest, ServiceResponse, ServiceRuntime } from "../../service/call.ts";
import { runService, unknownService, validate } from "../../service/run-service.ts";
import { describeIssues } from "../../service/schema.ts";
import { isServiceError } from "../../service/service-error.ts";
import { serviceFailure } from "../../service/service-failure.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { InvokeMessage } from "./protocol.ts";

/**
 * Runs a service that an operator invoked, or a durable invocation, for at most `timeoutMs` and as
 * long as the service itself may take. Rejects with SERVICE_UNKNOWN, REQUEST_INPUT_INVALID,
 * REQUEST_TIMEOUT, SERVICE_REFUSED (the service threw a ServiceError), SERVICE_BUSY,
 * SERVICE_INACTIVE and SERVICE_FAILED.
 */
export async function runOperatorCall(
  { service: name, input, cid, channel, ...limits }: Omit<InvokeMessage, "type" | "id">,
  runtime: ServiceRuntime,
): Promise<unknown> {
  const runnable = runtime.services.get(name);
  if (runnable === undefined) throw unknownService(name, runtime.services.keys());
  const checked = await validate(runnable.service.input, input);
  if (checked.issues !== undefined) {
    const errors = describeIssues(checked.issues);
    throw new PlatformError("REQUEST_INPUT_INVALID", {}, { details: { errors } });
  }
  const timeoutMs = Math.min(limits.timeoutMs, runnable.service.timeoutMs ?? Infinity);
  const abort = new AbortController();
  const endsAt = performance.now() + timeoutMs;
  const call: Call = {
    request: operatorRequest(cid, channel),
    response: operatorResponse(),
    signal: abort.signal,
    runtime,
    remaining: () => Math.max(0, endsAt - performance.now()),
  };
  const timeout = new PlatformError("REQUEST_TIMEOUT", { timeoutMs });
  try {
    const running = Promise.resolve(runService(runnable, checked.value, call));
    return await withTimeout(running, timeoutMs, () => {
      abort.abort(timeout);
      return timeout;
    });
  } catch (error) {
    throw operatorError(error, name);
  }
}

// An operator is told more than a client: the reason why a service failed.
function operatorError(error: unknown, service: string): PlatformError {
  if (isPlatformError(error)) return error;
  const failure = serviceFailure(error, service);
  if (!isServiceError(failure)) return failure as PlatformError; // all else is made one
  const { status, message, details } = failure;
  return new PlatformError("SERVICE_REFUSED", { service, status, reason: message }, {
    cause: error,
    details,
  });
}

function operatorRequest(
  cid: string,
  channel: ServiceRequest["channel"] = { kind: "Operator", name: "invoke" },
): ServiceRequest {
  return {
    cid,
    channel,
    principal: undefined,
    method: "",
    path: "",
    params: {},
    query: new URLSearchParams(),
    headers: new Headers(),
    rawBody: new Uint8Array(),
    remoteAddress: "",
    traceparent: undefined,
  };
}

function operatorResponse(): ServiceResponse {
  return { status: 0, headers: new Headers() };
}
