import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { Backend, Failure } from "./backend.ts";

/** Turns whatever a client library threw into our error. Ours pass through. */
export function odbError(backend: Backend, error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  const { address } = backend;
  const failure = backend.failureOf(error);
  switch (failure.type) {
    case "unreachable":
      return unreachable(backend, failure, error);
    case "no schema":
      return new PlatformError("ODB_NO_SCHEMA", { address }, { cause: error });
    case "contended":
      return new PlatformError("ODB_CONTENDED", { address, ...failure }, { cause: error });
    case "duplicate":
      return new PlatformError("ODB_DUPLICATE", { address, ...failure }, { cause: error });
    case "refused":
      return new PlatformError("ODB_FAILED", { address, ...failure }, { cause: error });
  }
}

/** ODB_UNREACHABLE in the words of `failure`. */
export function unreachable(
  { address }: Backend,
  { reason, advice }: { readonly reason: string; readonly advice?: string },
  cause?: unknown,
): PlatformError {
  const options = { cause, ...(advice === undefined ? {} : { advice }) };
  return new PlatformError("ODB_UNREACHABLE", { address, reason }, options);
}

const networkReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there (connection refused)",
  ENOTFOUND: "the host name is unknown",
  EAI_AGAIN: "the host name cannot be looked up now",
  ETIMEDOUT: "no answer in time",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to the network",
  ECONNRESET: "the connection broke",
  EPIPE: "the connection broke",
};

/** What a network error means, in words. */
export function networkFailure(error: unknown): Failure {
  const code = codeOf(error) ?? (error instanceof AggregateError ? codeOf(error.errors[0]) : "");
  const reason = networkReasons[code ?? ""] ?? reasonOf(error);
  return { type: "unreachable", reason };
}

/** The `code` of an error, such as `ECONNREFUSED` or an SQLSTATE. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
