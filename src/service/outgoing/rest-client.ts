import type { Schema } from "../schema.ts";

/**
 * Calls to one RestOutgoing, with the deadline, correlation id and trace of the call that it is
 * made for. A status of 400 and above rejects with OUTGOING_STATUS (`details.status`,
 * `details.data`) unless `accept` lists it; no answer rejects with OUTGOING_UNREACHABLE,
 * OUTGOING_TIMEOUT or OUTGOING_BREAKER_OPEN.
 */
export interface RestClient {
  get<T = unknown>(path?: string, options?: RestOptions<T>): Promise<RestReply<T>>;
  head(path?: string, options?: RestOptions<undefined>): Promise<RestReply<undefined>>;
  delete<T = unknown>(path?: string, options?: RestOptions<T>): Promise<RestReply<T>>;
  post<T = unknown>(
    path: string,
    body?: unknown,
    options?: RestOptions<T>,
  ): Promise<RestReply<T>>;
  put<T = unknown>(path: string, body?: unknown, options?: RestOptions<T>): Promise<RestReply<T>>;
  patch<T = unknown>(
    path: string,
    body?: unknown,
    options?: RestOptions<T>,
  ): Promise<RestReply<T>>;
}

export interface RestOptions<T> {
  /** Values of the path's `{name}` parts, percent-encoded for it. */
  readonly params?: Readonly<Record<string, string | number | boolean>>;
  /** Lists become repeated parameters; undefined is left out. */
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the connection's, but never later than the call's own deadline. */
  readonly timeoutMs?: number;
  /** Checks, and types, the answer. Rejects with OUTGOING_REPLY_INVALID. */
  readonly schema?: Schema<unknown, T>;
  /** How to read the answer. Default: by its content type. */
  readonly as?: "json" | "text" | "bytes" | "stream";
  /** Statuses of 400 and above that are an answer, not an error. */
  readonly accept?: readonly number[];
  /** True: may be repeated although its method says otherwise. */
  readonly isIdempotent?: boolean;
}

export type QueryValue = string | number | boolean;

export interface RestReply<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: T;
}
