import type { Principal } from "../security/principal.ts";
import type { Logger, LogLevel } from "../telemetry/logger.ts";
import type { XmlElement } from "../xml/element.ts";
import type { Service } from "./define-service.ts";
import type { Facilities } from "./facilities.ts";
import type { ServiceGate } from "./running/service-gate.ts";
import type { TurnQueue } from "./running/turn-queue.ts";

/** The channel through which a request came. */
export interface ChannelInfo {
  /**
   * Such as `RestChannel`; `Operator` for a service that an operator invoked, `Invocation` for a
   * durable one, whose name is its id.
   */
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
  /**
   * The body while it arrives, decompressed; its limits hold while it flows. Only where the
   * channel's service says `streamBody: true`.
   */
  readonly body?: ReadableStream<Uint8Array> | undefined;
  /** The client's IP address, looked up behind trusted proxies. */
  readonly remoteAddress: string;
  /** The trace that the request came with (W3C Trace Context); undefined when it had none. */
  readonly traceparent: string | undefined;
  /** Elements in the header of a SOAP message; empty or absent for all other requests. */
  readonly soapHeaders?: readonly XmlElement[];
  /** Id of the WebSocket connection that the request came over. */
  readonly connection?: string;
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
  /**
   * Aborted when the time is over or the client has gone. The answer to a request with an
   * idempotency key is kept for the next time, so that its client's going ends nothing.
   */
  readonly signal: AbortSignal;
  readonly runtime: ServiceRuntime;
  /** How many services have invoked one another to get here; absent: none. */
  readonly depth?: number;
  /** Milliseconds until the deadline; never below 0. */
  remaining(): number;
  /** Told when its service is about to run: from then on, that may have had effects. */
  onRun?(): void;
}

/** What the process lends services. One for each configuration; a call keeps the one it began with. */
export interface ServiceRuntime {
  readonly server: string;
  readonly cluster: string;
  readonly logger: Logger;
  readonly services: ReadonlyMap<string, RunnableService>;
  readonly marks: ServiceMarks;
  /** Where calls from outside wait while the event loop is late; absent: they never do. */
  readonly turns?: TurnQueue;
  readonly facilities: Facilities;
  /** Calls a service on behalf of another one. */
  invoke(
    target: string | Service,
    input: unknown,
    call: Call,
    options?: InvokeOptions,
  ): Promise<unknown>;
}

/** How a service is invoked by another one. */
export interface InvokeOptions {
  /** Shorter than the service's own limit and the caller's remaining time, which hold as well. */
  readonly timeoutMs?: number;
}

/** A service and its number in the process: what `createRunnable` makes. */
export interface RunnableService {
  /** As its author defined it, with the limits of its ServiceSettings. */
  readonly service: Service;
  readonly slot: number;
  /** Bounds how many calls run and wait; absent: nothing does. */
  readonly gate?: ServiceGate | undefined;
  /** False: calls are refused with SERVICE_INACTIVE. Default true. */
  readonly isActive?: boolean;
  /** Default: the process's. */
  readonly logLevel?: LogLevel | undefined;
}

/** Told of every entry and exit, so that a stalled process can say which service holds it. */
export interface ServiceMarks {
  enter(slot: number): void;
  leave(slot: number): void;
  /** A call ended without having run: its time was over, or its client had gone. */
  drop?(slot: number): void;
}
