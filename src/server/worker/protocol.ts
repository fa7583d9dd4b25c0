import type { StoredObject } from "../../catalog/kind.ts";
import type { ErrorJson } from "../../errors/platform-error.ts";
import type { ServerFailure } from "../../odb/types.ts";
import type { LogLevel } from "../../telemetry/logger.ts";

/** What supervisor and worker say to each other over the child process's message channel. */

export type ToWorker = InitMessage | ConfigureMessage | InvokeMessage | DrainMessage;
export type FromWorker =
  | BootedMessage
  | ConfiguredMessage
  | InvokedMessage
  | HeartbeatMessage
  | DrainedMessage;

/** The first message. The worker listens only after its first `configure`. */
export interface InitMessage {
  readonly type: "init";
  readonly workerId: number;
  readonly server: string;
  readonly cluster: string;
  readonly environment: "development" | "production";
  readonly http: { readonly host: string; readonly port: number };
  readonly limits: {
    readonly stallMs: number;
    readonly requestMs: number;
    readonly bodyBytes: number;
  };
  /** Unseals secrets; 32 bytes, base64url. Travels only here, never in the environment. */
  readonly clusterKey: string;
  readonly logLevel: LogLevel;
  /** Peers whose X-Forwarded-* headers are believed, as IP addresses. */
  readonly trustedProxies: readonly string[];
}

/** The difference to what the worker has; the first one is everything. */
export interface ConfigureMessage {
  readonly type: "configure";
  readonly revision: number;
  readonly upserted: readonly StoredObject[];
  readonly removed: readonly { readonly kind: string; readonly name: string }[];
  /** The complete list of current bundles; the worker imports those it does not have. */
  readonly bundles: readonly BundleFile[];
}

export interface BundleFile {
  readonly file: string;
  readonly hash: string;
  /** Absolute path of the module on disk. */
  readonly path: string;
}

/** A service called by an operator rather than through a channel. */
export interface InvokeMessage {
  readonly type: "invoke";
  readonly id: number;
  readonly service: string;
  readonly input: unknown;
  readonly cid: string;
  readonly timeoutMs: number;
}

/** Finish what is in flight for at most `timeoutMs`, take nothing new, say `drained`, exit 0. */
export interface DrainMessage {
  readonly type: "drain";
  readonly timeoutMs: number;
}

/** Sent once the process can take `init`. */
export interface BootedMessage {
  readonly type: "booted";
}

/** Sent after each `configure`; after the first one the worker is listening. */
export interface ConfiguredMessage {
  readonly type: "configured";
  readonly revision: number;
  /** `stateHash()` of what it now runs. */
  readonly stateHash: string;
  readonly failures: readonly ServerFailure[];
}

export interface InvokedMessage {
  readonly type: "invoked";
  readonly id: number;
  readonly durationMs: number;
  readonly output?: unknown;
  readonly error?: ErrorJson;
}

/** Every second: proof of life, and figures. */
export interface HeartbeatMessage {
  readonly type: "heartbeat";
  readonly requestsTotal: number;
  readonly errorsTotal: number;
  readonly inFlight: number;
  readonly memoryBytes: number;
  /** Longest delay of the event loop since the last heartbeat. */
  readonly eventLoopDelayMs: number;
}

export interface DrainedMessage {
  readonly type: "drained";
  /** Requests that were cut off because the time was over. */
  readonly abandoned: number;
}
