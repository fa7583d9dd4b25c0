import { type Code, codes } from "./codes.ts";
import type { ErrorCode, ErrorKind } from "./error-code.ts";

/** Values that fill the `{placeholders}` of a code's message. Never secrets. */
export type ErrorParams = Readonly<Record<string, string | number | boolean>>;

export interface PlatformErrorOptions {
  readonly cause?: unknown;
  /** Facts that are safe to show to whoever caused the error, as plain JSON. */
  readonly details?: unknown;
  /** Replaces the advice of the code's table row. */
  readonly advice?: string;
  readonly retryAfterMs?: number;
}

/** What crosses a process border: enough to rebuild the error on the other side. */
export interface ErrorJson {
  readonly code: Code;
  readonly message: string;
  readonly advice?: string;
  readonly details?: unknown;
}

/**
 * The one error of the platform. `code` decides what callers do; the message is for people.
 * Everything but the message comes from the code's row in `codes.ts`.
 */
export class PlatformError extends Error {
  override readonly name = "PlatformError";
  readonly code: Code;
  readonly kind: ErrorKind;
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly advice: string | undefined;
  readonly details: unknown;

  constructor(code: Code, params: ErrorParams = {}, options: PlatformErrorOptions = {}) {
    const row: ErrorCode = codes[code];
    super(fill(row.message, params), { cause: options.cause });
    this.code = code;
    this.kind = row.kind;
    this.status = row.status;
    this.retryable = row.kind === "peer";
    this.retryAfterMs = options.retryAfterMs;
    this.advice = options.advice ?? (row.advice && fill(row.advice, params));
    this.details = options.details;
  }

  toJSON(): ErrorJson {
    return {
      code: this.code,
      message: this.message,
      ...(this.advice === undefined ? {} : { advice: this.advice }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  /** Rebuilds an error that another process reported, keeping its words. */
  static fromJson(json: ErrorJson): PlatformError {
    const code: Code = Object.hasOwn(codes, json.code) ? json.code : "INTERNAL";
    const error = new PlatformError(code, {}, {
      details: json.details,
      ...(json.advice === undefined ? {} : { advice: json.advice }),
    });
    error.message = json.message;
    return error;
  }
}

/** True when `error` is a PlatformError, of the given code when one is named. */
export function isPlatformError(error: unknown, code?: Code): error is PlatformError {
  try {
    return error instanceof PlatformError && (code === undefined || error.code === code);
  } catch {
    return false; // a proxy that does not let itself be looked at
  }
}

/** Longest reason that is quoted. */
const reasonMax = 10_000;

/**
 * The text of anything that was thrown, for messages that quote a cause. Never throws: what user
 * code throws may throw again when it is looked at.
 */
export function reasonOf(error: unknown): string {
  try {
    const reason = readReason(error);
    return reason.length > reasonMax ? `${reason.slice(0, reasonMax)}...` : reason;
  } catch {
    return "It cannot be told what was thrown";
  }
}

function readReason(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map((one) => one === error ? "itself" : readReason(one)).join("; ");
  }
  return String(error instanceof Error ? error.message : error);
}

function fill(template: string, params: ErrorParams): string {
  return template.replace(/\{(\w+)\}/g, (whole, key: string) => String(params[key] ?? whole));
}
