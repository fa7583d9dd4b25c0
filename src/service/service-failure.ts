import type { Code } from "../errors/codes.ts";
import { isPlatformError, PlatformError, reasonOf } from "../errors/platform-error.ts";
import { isServiceError, unsendableReason } from "./service-error.ts";

/** What is said of this very call, in words that are meant for clients. */
const spoken: ReadonlySet<string> = new Set<Code>([
  "REQUEST_ABANDONED",
  "REQUEST_METHOD",
  "REQUEST_TIMEOUT",
  "SERVICE_BUSY",
  "SERVICE_INACTIVE",
  "THREAD_BUSY",
]);

/**
 * What a service's error means for its caller. Only a ServiceError speaks to the caller; an error
 * of the platform that a service let through says "input is wrong" of another input, not of this
 * caller's.
 */
export function serviceFailure(error: unknown, service: string): unknown {
  if (isServiceError(error)) {
    const reason = unsendableReason(error);
    if (reason === undefined) return error;
    return failed(service, reason, new Error(reason, { cause: error }));
  }
  if (isPlatformError(error)) {
    const isOurs = error.kind === "bug" || error.kind === "peer";
    if (isOurs || spoken.has(error.code)) return error;
  }
  return failed(service, reasonOf(error), error);
}

function failed(service: string, reason: string, cause: unknown): PlatformError {
  return new PlatformError("SERVICE_FAILED", { service, reason }, { cause });
}
