import type { Principal } from "../security/principal.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Service } from "./define-service.ts";

/** The channel through which a request came. */
export interface ChannelInfo {
  /** Such as `RestChannel`; `Operator` for a service that an operator invoked. */
  readonly kind: string;
  readonly name: string;
}

/** The request behind a call, the same for every service that the call reaches. */
export interface ServiceRequest {
  /** Correlation id, unique for ever: in every log line and answer of this request. */
  readonly cid: string;
  readonly channel: ChannelInfo;
  /** Undefined on channels without security. */
  readonly principal: Principal | undefined;
  /** `GET`, `POST`...; empty where the protocol has none. */
  readonly method: string;
  /** As the client sent it, still percent-encoded, without the query. */
  readonly path: string;
  /** Values of the path's `{name}` parts, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  /**
   * The body as it came; empty when there was none. Throws SERVICE_RAW_BODY unless the channel's
   * service says `rawBody: true`.
   */
  readonly rawBody: Uint8Array;
  /** The client's IP address, looked up behind trusted proxies. */
  readonly remoteAddress: string;
}

/** The head of the answer; a protocol that has none ignores it. */
export interface ServiceResponse {
  /** Default 200, or 204 when the service returns undefined. */
  status: number;
  /** Setting a `Content-Type` other than JSON sends a returned string or Uint8Array as it is. */
  readonly headers: Headers;
}

/** A call from outside, and what it brings along for the services it reaches. */
export interface Call {
  readonly request: ServiceRequest;
  readonly response: ServiceResponse;
  /** Aborted when the time is over or the client has gone. */
  readonly signal: AbortSignal;
  readonly runtime: ServiceRuntime;
  /** Milliseconds until the deadline; never below 0. */
  remaining(): number;
}

/** What the process lends services. One for each configuration; a call keeps the one it began with. */
export interface ServiceRuntime {
  readonly server: string;
  readonly cluster: string;
  readonly logger: Logger;
  readonly services: ReadonlyMap<string, RunnableService>;
  readonly marks: ServiceMarks;
  /** Calls a service on behalf of another one. */
  invoke(target: string | Service, input: unknown, call: Call): Promise<unknown>;
}

/** A service and its number in the process. */
export interface RunnableService {
  readonly service: Service;
  readonly slot: number;
}

/** Told of every entry and exit, so that a stalled process can say which service holds it. */
export interface ServiceMarks {
  enter(slot: number): void;
  leave(slot: number): void;
}
