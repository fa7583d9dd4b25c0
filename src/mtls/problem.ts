import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { type Code, codes } from "../errors/codes.ts";
import { type ErrorJson, isPlatformError, PlatformError } from "../errors/platform-error.ts";

/** The media type of problem details, RFC 9457. */
export const problemContentType = "application/problem+json";

/** What leaves a JSON API instead of an answer. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  /** The error's message. */
  readonly detail: string;
  readonly code: Code;
  readonly advice?: string;
  readonly details?: unknown;
  readonly cid: string;
}

/** An error as a problem. Errors that are not ours become INTERNAL, without their words. */
export function toProblem(thrown: unknown, cid: string): Problem {
  const error = isPlatformError(thrown) ? thrown : new PlatformError("INTERNAL", {}, {
    advice: `Look for ${cid} in the log of the component that answered`,
  });
  const { message: detail, ...more } = error.toJSON();
  const title = STATUS_CODES[error.status] ?? "Error";
  return { type: "about:blank", title, status: error.status, detail, ...more, cid };
}

const problemSchema = z.object({
  detail: z.string(),
  code: z.string(),
  advice: z.string().optional(),
  details: z.unknown().optional(),
});

/** Rebuilds the error that another process sent as a problem; undefined when it is none of ours. */
export function fromProblem(body: unknown): PlatformError | undefined {
  const parsed = problemSchema.safeParse(body);
  if (!parsed.success) return undefined;
  const { detail: message, code, advice, details } = parsed.data;
  const json: ErrorJson = {
    code: isCode(code) ? code : "INTERNAL",
    message,
    ...(advice === undefined ? {} : { advice }),
    ...(details === undefined ? {} : { details }),
  };
  return PlatformError.fromJson(json);
}

function isCode(text: string): text is Code {
  return Object.hasOwn(codes, text);
}
