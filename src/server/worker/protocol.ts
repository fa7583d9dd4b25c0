import type { StoredObject } from "../../catalog/kind.ts";
import type { StateParts } from "../../cluster/status.ts";
import type { OutgoingStatus, PingResult } from "../../connectors/contract.ts";
import type { ErrorJson } from "../../errors/platform-error.ts";
import type { PatientClaim } from "../../http/idempotency/key-ledger.ts";
import type { KeptAnswer, KeyProof, KeyStanding } from "../../odb/idempotency-types.ts";
import type { BundleKey, ServerFailure } from "../../odb/types.ts";
import type { NewInvocation } from "../../service/durable-work.ts";
import type { LogLevel } from "../../telemetry/logger.ts";
import type { OverloadLimits } from "../http/overload.ts";

/** What supervisor and worker say to each other over the child process's message channel. */

export type ToWorker =
  | InitMessage
  | ConfigureMessage
  | InvokeMessage
  | AbortMessage
  | AskMessage
  | ReplyMessage
  | PushMessage
  | HopKeysMessage
  | DrainMessage;
export type FromWorker =
  | BootedMessage
  | ConfiguredMessage
  | InvokedMessage
  | AnsweredMessage
  | RequestMessage
  | HeartbeatMessage
  | ClosedMessage
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
    readonly overload: OverloadLimits;
  };
  /** Unseals secrets; 32 bytes, base64url. Travels only here, never in the environment. */
  readonly clusterKey: string;
  readonly logLevel: LogLevel;
  /** Peers whose X-Forwarded-* headers are believed, as IP addresses. */
  readonly trustedProxies: readonly string[];
  /** Whoever shows one of these is a balancer of the cluster, and believed as well. */
  readonly hopKeys: readonly string[];
  /** The certificate of the HTTP port, PEM; undefined: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Whether channels are described at `/dragoman/openapi.json`, with a page to try them. */
  readonly apiDocs: boolean;
  /** `redis://host:port/db`; undefined: this server has no KVDB. */
  readonly kvdb: { readonly url: string; readonly password?: string | undefined } | undefined;
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

/** A service called by an operator, as an invocation or by a job, rather than through a channel. */
export interface InvokeMessage {
  readonly type: "invoke";
  readonly id: number;
  readonly service: string;
  readonly input: unknown;
  readonly cid: string;
  readonly timeoutMs: number;
  /** What the service is told it was called through. Default: an operator. */
  readonly channel?: { readonly kind: string; readonly name: string };
}

/** Nobody waits for an `invoke` any more: its signal is aborted, and it is answered at once. */
export interface AbortMessage {
  readonly type: "abort";
  readonly id: number;
}

/** What a supervisor asks a worker, and the answers. */
export interface Questions {
  /** Whether the other side of an outgoing connection answers. */
  readonly ping: {
    readonly question: { readonly kind: string; readonly name: string; readonly timeoutMs: number };
    readonly answer: PingResult;
  };
  /** What the worker knows of an object that lives in it; null when nothing. */
  readonly status: {
    readonly question: { readonly kind: string; readonly name: string };
    readonly answer: OutgoingStatus | null;
  };
  /** What the worker really runs, to be held against what it should run. */
  readonly inventory: {
    readonly question: InventoryQuestion;
    readonly answer: WorkerInventory;
  };
}

export interface InventoryQuestion {
  /** `contentHash` of the objects that should run; those that do are listed when it differs. */
  readonly contentHash: string;
}

export interface WorkerInventory {
  readonly revision: number;
  /** Names the cluster key that it opens secrets with. */
  readonly keyId: string;
  readonly bundles: readonly BundleKey[];
  readonly failures: readonly ServerFailure[];
  /** Absent when they are what they should be. */
  readonly objects?: readonly ObjectHash[];
}

/** One object that runs, and the hash of its content. */
export interface ObjectHash {
  readonly kind: string;
  readonly name: string;
  readonly revision: number;
  readonly hash: string;
}

export interface AskMessage<T extends keyof Questions = keyof Questions> {
  readonly type: "ask";
  readonly id: number;
  readonly topic: T;
  readonly question: Questions[T]["question"];
}

export interface AnsweredMessage {
  readonly type: "answered";
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: ErrorJson;
}

/** What a worker asks of its supervisor, who alone talks to the ODB. */
export interface Requests {
  readonly enqueue: { readonly body: NewInvocation; readonly reply: string };
  readonly cancel: { readonly body: { readonly id: string }; readonly reply: boolean };
  /** Resolves to the token; null when somebody else held the lock all the time. */
  readonly lock: {
    readonly body: {
      readonly name: string;
      readonly owner: string;
      readonly ttlMs: number;
      readonly waitMs: number;
    };
    readonly reply: number | null;
  };
  /** False: it was lost. */
  readonly renewLock: {
    readonly body: { readonly name: string; readonly owner: string; readonly ttlMs: number };
    readonly reply: boolean;
  };
  readonly unlock: {
    readonly body: { readonly name: string; readonly owner: string };
    readonly reply: boolean;
  };
  /** Takes an idempotency key for a request, or waits for what becomes of it. */
  readonly claimKey: { readonly body: PatientClaim; readonly reply: KeyStanding };
  /** Keeps the answer to a request that took its key. */
  readonly settleKey: {
    readonly body: KeyProof & { readonly answer: KeptAnswer };
    readonly reply: void;
  };
  /** Gives a key back: the request was not executed. */
  readonly releaseKey: { readonly body: KeyProof; readonly reply: void };
  /** Passes a push on to every worker of the server; resolves to how many there are. */
  readonly push: { readonly body: { readonly text: string }; readonly reply: number };
}

export interface RequestMessage<T extends keyof Requests = keyof Requests> {
  readonly type: "request";
  readonly id: number;
  readonly topic: T;
  readonly body: Requests[T]["body"];
}

export interface ReplyMessage {
  readonly type: "reply";
  readonly id: number;
  readonly reply?: unknown;
  readonly error?: ErrorJson;
}

/** A push to the clients of WebSocket channels, from another worker of the server. */
export interface PushMessage {
  readonly type: "push";
  readonly text: string;
}

/** The keys of the cluster's balancers have changed: all that hold from now on. */
export interface HopKeysMessage {
  readonly type: "hopKeys";
  readonly keys: readonly string[];
}

/** Finish what is in flight for at most `timeoutMs`, take nothing new, say `drained`, exit 0. */
export interface DrainMessage {
  readonly type: "drain";
  readonly timeoutMs: number;
  /** Another worker has taken its place at the same port, so that the server remains ready. */
  readonly isHandover?: boolean;
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
  readonly parts: StateParts;
  /** The code of each file that it really runs. */
  readonly bundles: readonly BundleKey[];
  readonly failures: readonly ServerFailure[];
  /** It holds so much code of old deployments that a fresh process should take its place. */
  readonly isWorn: boolean;
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
  /** Of these, the requests that were refused because there were too many. */
  readonly refusedTotal: number;
  readonly inFlight: number;
  /** Calls of services that ended without having run, because nobody waited for them any more. */
  readonly droppedTotal: number;
  readonly memoryBytes: number;
  /** Longest delay of the event loop since the last heartbeat. */
  readonly eventLoopDelayMs: number;
}

/** Sent while draining: no request can reach the worker any more; what is in flight goes on. */
export interface ClosedMessage {
  readonly type: "closed";
}

export interface DrainedMessage {
  readonly type: "drained";
  /** Requests that were cut off because the time was over. */
  readonly abandoned: number;
}
