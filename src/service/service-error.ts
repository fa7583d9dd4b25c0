import { reasonOf } from "../errors/platform-error.ts";
import { plainCopy } from "../lib/plain-copy.ts";

const brand: unique symbol = Symbol.for("dragoman.service-error");

export interface ServiceErrorOptions {
  /** Facts for the caller, as plain JSON; sent as the member `details`. Never secrets. */
  readonly details?: unknown;
  /** Headers of the answer, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * Ends a service with an answer that the caller is meant to see: over HTTP, problem details
 * (RFC 9457) with this status, the message as `detail` and the correlation id. Any other error
 * that leaves a service is logged and answered with 500 and nothing of its text.
 */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  /** From 400 to 599. */
  readonly status: number;
  readonly details: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly [brand] = true;

  constructor(
    status: number,
    message: string,
    { details, headers = {}, cause }: ServiceErrorOptions = {},
  ) {
    super(message, { cause });
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`The status of a ServiceError is from 400 to 599, not ${status}`);
    }
    this.status = status;
    this.details = details;
    this.headers = headers;
  }
}

/** True for a ServiceError of any copy of this module. */
export function isServiceError(error: unknown): error is ServiceError {
  try {
    return error instanceof Error && brand in error;
  } catch {
    return false; // a proxy that does not let itself be looked at
  }
}

/**
 * Why a ServiceError cannot be sent; undefined when it can. Its parts may be of any type where no
 * compiler looked, and may have been changed.
 */
export function unsendableReason({ status, headers, details }: ServiceError): string | undefined {
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    return `A ServiceError cannot have the status ${String(status)}`;
  }
  try {
    new Headers(headers ?? {});
    plainCopy(details);
    return undefined;
  } catch (error) {
    return `A ServiceError's headers or details cannot be sent: ${reasonOf(error)}`;
  }
}
