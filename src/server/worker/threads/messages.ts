import { isPlatformError, PlatformError, reasonOf } from "../../../errors/platform-error.ts";
import type { ErrorJson } from "../../../errors/platform-error.ts";
import { isServiceError, ServiceError } from "../../../service/service-error.ts";

/**
 * One task for a thread, which has one at a time. Values travel serialized: the message channel
 * breaks when it finds out half-way that something cannot be copied.
 */
export interface TaskMessage {
  /** Path of the bundle that defines the task. */
  readonly path: string;
  readonly name: string;
  readonly input: Uint8Array;
}

/** What a thread says when its task has ended. */
export type TaskOutcome =
  | { readonly ok: true; readonly output: Uint8Array }
  | { readonly ok: false; readonly error: TaskError };

/** An error on its way from one thread to another. */
export type TaskError =
  | { readonly type: "platform"; readonly json: ErrorJson }
  | {
    readonly type: "service";
    readonly status: number;
    readonly message: string;
    readonly details: unknown;
    readonly headers: Readonly<Record<string, string>>;
  }
  | {
    readonly type: "other";
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
  };

export function packError(error: unknown): TaskError {
  if (isPlatformError(error)) return { type: "platform", json: error.toJSON() };
  if (isServiceError(error)) {
    const { status, message, details, headers } = error;
    return { type: "service", status, message, details, headers };
  }
  const { name, stack } = error instanceof Error ? error : { name: "Error", stack: undefined };
  return { type: "other", name, message: reasonOf(error), stack };
}

export function unpackError(packed: TaskError): Error {
  if (packed.type === "platform") return PlatformError.fromJson(packed.json);
  const { message } = packed;
  if (packed.type === "service") {
    const { status, details, headers } = packed;
    return new ServiceError(status, message, { details, headers });
  }
  const error = new Error(message);
  error.name = packed.name;
  if (packed.stack !== undefined) error.stack = packed.stack;
  return error;
}
