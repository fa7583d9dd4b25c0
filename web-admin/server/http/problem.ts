import { type ServerResponse, STATUS_CODES } from "node:http";
import { isPlatformError, PlatformError } from "../../../src/errors/platform-error.ts";
import type { Logger } from "../../../src/telemetry/logger.ts";

/**
 * Answers with an error as RFC 9457 problem details. What is not an error of ours becomes
 * INTERNAL with the correlation id under which it is logged. Does nothing once headers are sent.
 */
export function sendProblem(
  response: ServerResponse,
  thrown: unknown,
  { cid, logger }: { readonly cid: string; readonly logger: Logger },
): void {
  const error = isPlatformError(thrown) ? thrown : new PlatformError("INTERNAL");
  if (error.kind === "bug") logger.error("request failed", { cid, error: thrown });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { message, ...rest } = error.toJSON();
  const body = {
    type: `urn:dragoman:error:${error.code}`,
    title: STATUS_CODES[error.status] ?? "Error",
    status: error.status,
    detail: message,
    ...rest,
    cid,
  };
  if (error.retryAfterMs !== undefined) {
    response.setHeader("Retry-After", Math.ceil(error.retryAfterMs / 1000));
  }
  response.writeHead(error.status, {
    "Content-Type": "application/problem+json",
    "X-Dragoman-Cid": cid,
  });
  response.end(JSON.stringify(body));
}
