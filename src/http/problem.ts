import { STATUS_CODES } from "node:http";
import { isPlatformError } from "../errors/platform-error.ts";
import type { FieldProblem } from "../service/schema.ts";
import { isServiceError } from "../service/service-error.ts";

/** Problem details, RFC 9457. `type` is left out: it means "about:blank", the status says it all. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** A code of the platform's table; absent for errors that services make. */
  readonly code?: string;
  readonly advice?: string;
  readonly errors?: readonly FieldProblem[];
  readonly details?: unknown;
  readonly cid: string;
}

/** What an error becomes on its way out. */
export interface ProblemAnswer {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  /** True when the error is ours or a service's, and a person has to look at the log. */
  readonly isFault: boolean;
}

/**
 * Translates anything that was thrown. What callers can mend is told to them; of everything else
 * they get the status and the cid, never a message, a stack or an internal name.
 */
export function toProblem(error: unknown, cid: string): ProblemAnswer {
  if (isServiceError(error)) {
    const { status, message, details, headers } = error;
    const detail = message === "" ? {} : { detail: message };
    const more = details === undefined ? {} : { details };
    const problem = { title: titleOf(status), status, ...detail, ...more, cid };
    return { problem, headers, isFault: false };
  }
  if (!isPlatformError(error)) return fault(500, "INTERNAL", cid);
  const { status, code } = error;
  const headers = retryHeaders(error.retryAfterMs);
  if (error.kind !== "input" && error.kind !== "state") return fault(status, code, cid);
  const advice = error.advice === undefined ? {} : { advice: error.advice };
  const problem = {
    title: titleOf(status),
    status,
    detail: error.message,
    code,
    ...advice,
    ...fieldProblems(error.details),
    cid,
  };
  return { problem, headers, isFault: false };
}

function fault(status: number, code: string, cid: string): ProblemAnswer {
  return { problem: { title: titleOf(status), status, code, cid }, headers: {}, isFault: true };
}

function titleOf(status: number): string {
  return STATUS_CODES[status] ?? (status < 500 ? "Request Failed" : "Server Error");
}

function fieldProblems(details: unknown): { errors?: readonly FieldProblem[] } {
  if (typeof details !== "object" || details === null || !("errors" in details)) return {};
  return { errors: details.errors as readonly FieldProblem[] }; // we made them, in this shape
}

function retryHeaders(retryAfterMs: number | undefined): Record<string, string> {
  return retryAfterMs === undefined ? {} : { "Retry-After": `${Math.ceil(retryAfterMs / 1_000)}` };
}
