import { PlatformError } from "../../errors/platform-error.ts";
import type { Call, ServiceRequest, ServiceResponse, ServiceRuntime } from "../../service/call.ts";
import { runService, unknownService, validate } from "../../service/run-service.ts";
import { describeIssues } from "../../service/schema.ts";
import { isServiceError } from "../../service/service-error.ts";
import { withTimeout } from "../../lib/wait.ts";
import type { InvokeMessage } from "./protocol.ts";

/**
 * Runs a service that an operator invoked. Rejects with SERVICE_UNKNOWN, REQUEST_INPUT_INVALID,
 * REQUEST_TIMEOUT, SERVICE_REFUSED (the service threw a ServiceError) and SERVICE_FAILED.
 */
export async function runOperatorCall(
  { service: name, input, cid, timeoutMs }: Omit<InvokeMessage, "type" | "id">,
  runtime: ServiceRuntime,
): Promise<unknown> {
  const runnable = runtime.services.get(name);
  if (runnable === undefined) throw unknownService(name, runtime.services.keys());
  const checked = await validate(runnable.service.input, input);
  if (checked.issues !== undefined) {
    const errors = describeIssues(checked.issues);
    throw new PlatformError("REQUEST_INPUT_INVALID", {}, { details: { errors } });
  }
  const abort = new AbortController();
  const endsAt = performance.now() + timeoutMs;
  const call: Call = {
    request: operatorRequest(cid),
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
  if (isServiceError(error)) {
    const { status, message, details } = error;
    return new PlatformError("SERVICE_REFUSED", { service, status, reason: message }, {
      cause: error,
      details,
    });
  }
  if (error instanceof PlatformError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new PlatformError("SERVICE_FAILED", { service, reason }, { cause: error });
}

function operatorRequest(cid: string): ServiceRequest {
  return {
    cid,
    channel: { kind: "Operator", name: "invoke" },
    principal: undefined,
    method: "",
    path: "",
    params: {},
    query: new URLSearchParams(),
    headers: new Headers(),
    rawBody: new Uint8Array(),
    remoteAddress: "",
  };
}

function operatorResponse(): ServiceResponse {
  return { status: 0, headers: new Headers() };
}
