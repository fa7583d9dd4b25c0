import type { StoredObject } from "../catalog/kind.ts";
import type { Route, RouteEntry } from "../http/route.ts";
import type { RouteLimits } from "../http/rate-limit/rate-limits.ts";
import type { RouteStats } from "../http/route-stats.ts";
import type { ClusterKey } from "../security/cluster-key.ts";
import type { Guard } from "../security/guard.ts";
import type { Call, RunnableService, ServiceRuntime } from "../service/call.ts";
import type { PushTarget } from "../service/socket-push.ts";
import type { Logger } from "../telemetry/logger.ts";

/** What the worker lends a channel while it is compiled into one generation. */
export interface HttpChannelHost {
  readonly runtime: ServiceRuntime;
  /** Throws CHANNEL_UNUSABLE for a service that is not deployed. */
  service(name: string): RunnableService;
  /** Undefined for "none". Throws CHANNEL_UNUSABLE for a definition that is missing or failed. */
  guard(security: "none" | readonly string[]): Guard | undefined;
  /** An object that the channel refers to, such as a RateLimit. Throws CHANNEL_UNUSABLE. */
  object(kind: string, name: string): StoredObject;
  readonly stats: RouteStats;
  /** Undefined for none. Throws CHANNEL_UNUSABLE. */
  rateLimits(names: readonly string[]): RouteLimits | undefined;
  readonly limits: { readonly requestMs: number; readonly bodyBytes: number };
  readonly logger: Logger;
  readonly sockets: SocketChannels;
}

/** The channels of this process whose clients stay connected: found by pushes, and drained. */
export interface SocketChannels {
  /** Harmless when they are there already. */
  add(channel: string, clients: SocketClients): void;
  /** Harmless when others are in their place. */
  remove(channel: string, clients: SocketClients): void;
}

/** The connected clients of one channel. */
export interface SocketClients {
  /** Messages that have no answer yet. */
  readonly inFlight: number;
  /** Sends data, as JSON text, to every client that matches; returns how many. */
  deliver(json: string, to: PushTarget): number;
  /** Takes nothing new, answers what is in flight, and resolves when every client has gone. */
  drain(): Promise<void>;
}

/** Brings the channels of one kind to life, inside a worker. */
export interface HttpChannelDriver {
  /** Reads one object, once for each of its revisions. Throws for a spec that cannot be served. */
  prepare(object: StoredObject): PreparedHttpChannel;
}

export interface PreparedHttpChannel {
  /** Called for each generation; empty for a channel that is not active. Throws as the host does. */
  routes(host: HttpChannelHost): readonly RouteEntry<Route>[];
  /** The object is gone, or has another revision. */
  close?(why: "gone" | "changed"): void;
}

/** What the worker lends an outgoing connection. */
export interface OutgoingHost {
  readonly key: ClusterKey;
  readonly cluster: string;
  readonly server: string;
  readonly logger: Logger;
  /**
   * The object that a reference of the connection names, such as a credential, with its secrets
   * still sealed. The connection is opened anew when that object changes. To be called while
   * opening; throws OUTGOING_UNUSABLE when it is missing.
   */
  object(group: "credential" | "data", name: string): StoredObject;
}

/** One outgoing connection, alive for as long as its object and what it refers to stay the same. */
export interface Outgoing<Client = unknown> {
  /** A client for one call: with its deadline, correlation id and trace. */
  client(call: Call): Client;
  /** Whether the other side answers. Rejects with what is wrong. */
  ping(signal: AbortSignal): Promise<PingResult>;
  status(): OutgoingStatus;
  /** Idempotent. Calls in flight may finish. */
  close(): Promise<void>;
}

export interface PingResult {
  readonly durationMs: number;
  /** In words, such as "HTTP 200 from http://127.0.0.1:8080". */
  readonly detail: string;
}

/** What one worker says of one of its outgoing connections. */
export interface OutgoingStatus {
  /** `ready`, `open` (its circuit breaker lets nothing through), `half-open` or `inactive`. */
  readonly state: "ready" | "open" | "half-open" | "inactive";
  /** Calls, failures, retries..., since the worker started. */
  readonly figures: Readonly<Record<string, number>>;
  /** The last failure, in words. */
  readonly lastError?: string;
}

/** Brings the outgoing connections of one kind to life, inside a worker. */
export interface OutgoingDriver {
  /** Throws for a spec that cannot be used. Opens nothing that must be waited for. */
  open(object: StoredObject, host: OutgoingHost): Outgoing;
}
