import type { Credential } from "../../security/credentials/credential.ts";
import type { Call, ServiceRequest } from "../../service/call.ts";
import type { Balance } from "./addresses.ts";
import type { BreakerOptions } from "./breaker.ts";
import type { HttpReply, RequestBody, TlsSettings } from "./transport.ts";

/** How one outgoing connection over HTTP behaves. */
export interface HttpSenderOptions {
  /** Who speaks in errors: `RestOutgoing`, and the object's name. */
  readonly kind: string;
  readonly name: string;
  /** Base addresses, with a path where all requests begin with one; at least one. */
  readonly addresses: readonly URL[];
  readonly balance: Balance;
  /** For a whole call, its retries included. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Sockets to each address, in this process. */
  readonly poolSize: number;
  readonly idleMs: number;
  readonly retries: RetryOptions;
  /** Undefined: none. */
  readonly breaker: BreakerOptions | undefined;
  readonly tls: TlsSettings;
  readonly credential: Credential | undefined;
  /** Milliseconds of a clock that never goes back; tests bring their own. */
  readonly now?: () => number;
}

export interface RetryOptions {
  /** In all, the first one included. */
  readonly attempts: number;
  readonly firstMs: number;
  readonly maxMs: number;
}

/** One call as the client of a connection makes it. */
export interface HttpSend {
  readonly method: string;
  /** What follows the base address: "" or "/path?query", percent-encoded. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is sent once: a call with one is never repeated. */
  readonly body?: RequestBody | undefined;
  /** True: doing it twice does no more than doing it once. */
  readonly isIdempotent: boolean;
  /** Whether an answer speaks against the other side's health. Default: any status from 500 on. */
  readonly isFailure?: (status: number, headers: Headers) => boolean;
  /** Instead of the connection's; the call's own deadline holds in any case. */
  readonly timeoutMs?: number | undefined;
  readonly call: SendCall;
}

/** What a sender asks of the call that it works for. */
export type SendCall = Pick<Call, "signal" | "remaining"> & {
  readonly request: Pick<ServiceRequest, "cid" | "traceparent">;
};

/**
 * Reads an answer, within the time of the call. An error of the connection that it lets through is
 * repeated as one that came before the answer is.
 */
export type ReplyReader<T> = (reply: HttpReply) => Promise<T> | T;
