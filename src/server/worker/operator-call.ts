import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import type { Call, ServiceRequest, ServiceResponse, ServiceRuntime } from "../../service/call.ts";
import { runService, unknownService, validate } from "../../service/run-service.ts";
import { describeIssues } from "../../service/schema.ts";
import { isServiceError } from "../../service/service-error.ts";
import { serviceFailure } from "../../service/service-failure.ts";
import type { InvokeMessage } from "./protocol.ts";

export interface OperatorCallOptions {
  readonly runtime: ServiceRuntime;
  /** Ends the call early. */
  readonly cancelled: AbortSignal;
}

/**
 * Runs a service that an operator invoked, a durable invocation or a job, for at most `timeoutMs`
 * and as long as the service itself may take. Whoever waits is answered at the end of the time and
 * when the call is cancelled; the service is told by its signal. Rejects with SERVICE_UNKNOWN,
 * REQUEST_INPUT_INVALID, REQUEST_TIMEOUT, SERVICE_CANCELLED, SERVICE_REFUSED (the service threw a
 * ServiceError), SERVICE_BUSY, SERVICE_INACTIVE and SERVICE_FAILED.
 */
export async function runOperatorCall(
  { service: name, input, cid, channel, ...limits }: Omit<InvokeMessage, "type" | "id">,
  { runtime, cancelled }: OperatorCallOptions,
): Promise<unknown> {
  const runnable = runtime.services.get(name);
  if (runnable === undefined) throw unknownService(name, runtime.services.keys());
  const checked = await validate(runnable.service.input, input);
  if (checked.issues !== undefined) {
    const errors = describeIssues(checked.issues);
    throw new PlatformError("REQUEST_INPUT_INVALID", {}, { details: { errors } });
  }
  if (cancelled.aborted) throw new PlatformError("SERVICE_CANCELLED", { service: name });
  const timeoutMs = Math.min(limits.timeoutMs, runnable.service.timeoutMs ?? Infinity);
  const abort = new AbortController();
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {}); // it may come after everybody has his answer
  const end = (error: PlatformError) => {
    abort.abort(error);
    ended.reject(error);
  };
  const endsAt = performance.now() + timeoutMs;
  const call: Call = {
    request: operatorRequest(cid, channel),
    response: operatorResponse(),
    signal: abort.signal,
    runtime,
    remaining: () => Math.max(0, endsAt - performance.now()),
  };
  const timer = setTimeout(
    () => end(new PlatformError("REQUEST_TIMEOUT", { timeoutMs })),
    timeoutMs,
  );
  const onCancelled = () => end(new PlatformError("SERVICE_CANCELLED", { service: name }));
  cancelled.addEventListener("abort", onCancelled, { once: true });
  try {
    return await Promise.race([runService(runnable, checked.value, call), ended.promise]);
  } catch (error) {
    throw operatorError(error, name);
  } finally {
    clearTimeout(timer);
    cancelled.removeEventListener("abort", onCancelled);
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
