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
  return error instanceof Error && brand in error;
}
