/** What the agent's API speaks: `GET /v1/status`. */
export interface BalancerStatus {
  readonly name: string;
  readonly cluster: string;
  readonly version: string;
  readonly engine: "haproxy" | "embedded";
  /** Such as `2.6.12`; the platform's own version for the embedded engine. */
  readonly engineVersion: string;
  readonly pid: number;
  readonly startedAt: string;
  /** Where clients connect. */
  readonly url: string;
  readonly agentUrl: string;
  readonly requestsTotal: number;
  readonly sessionsCurrent: number;
  /** Processes that only finish the requests and tunnels they had before a reload. */
  readonly finishing: number;
  /** Of the configuration that runs; 0: nothing was changed since config.yaml. */
  readonly revision: number;
  readonly algorithm: string;
  readonly servers: readonly BalancedServer[];
  readonly peers: readonly PeerStatus[];
}

/**
 * `up` takes traffic; `down` fails its health checks; `draining` finishes what it has and takes
 * nothing new; `maintenance` takes nothing and is not checked; `starting` has not answered a
 * health check yet.
 */
export type BalancedServerState = "starting" | "up" | "draining" | "maintenance" | "down";

/** What an engine knows of a server. */
export interface EngineServer {
  readonly name: string;
  /** `host:port` */
  readonly address: string;
  readonly state: BalancedServerState;
  /** When `state` began, ISO 8601. */
  readonly since: string;
  /** Why it is in that state, in words: `Layer7 check: 503`, `connection refused`. */
  readonly reason: string;
  /** The share it has now: what was asked for, less what its health takes away. */
  readonly weight: number;
  readonly sessionsCurrent: number;
  readonly sessionsMax: number;
  readonly requestsTotal: number;
  /** Requests in the last second. */
  readonly requestRate: number;
  readonly errorsTotal: number;
}

export interface BalancedServer extends EngineServer {
  /** What was asked for; `draining` also when the server itself said that it stops. */
  readonly wanted: ServerState;
  readonly weightWanted: number;
  /** It came by itself; else it was added by hand. */
  readonly registered: boolean;
}

/** What an operator asks of a server. */
export type ServerState = "ready" | "drain" | "maintenance";

/** `PUT /v1/servers/:name`: a server announces where it really listens. Repeating it is harmless. */
export interface Registration {
  readonly host: string;
  readonly port: number;
  /** It speaks TLS there, with its certificate of the cluster's authority. */
  readonly tls?: boolean | undefined;
  /** Where it says, as HAProxy's agent checks want it, which share of requests it can take. */
  readonly weightPort?: number | undefined;
}

/** `GET /v1/hop-keys`: whoever shows one of them to a server is a balancer of the cluster. */
export interface HopKeysView {
  readonly keys: readonly string[];
}

/** `GET /v1/config`: what the engine runs, in its own language. */
export interface ConfigText {
  readonly engine: "haproxy" | "embedded";
  /** `haproxy.cfg`, or YAML for the embedded engine. */
  readonly text: string;
}

/** What an operator changes while the balancer runs; what it does not name is as in config.yaml. */
export interface ConfigDocument {
  readonly algorithm?: string;
  readonly accessLog?: "off" | "file" | "stdout";
  readonly retries?: number;
  readonly maxConnections?: number;
  readonly healthCheck?: Readonly<Record<string, unknown>>;
  readonly timeouts?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly lines?: Readonly<Record<string, readonly string[]>>;
  readonly servers?: Readonly<Record<string, ServerSettings>>;
}

/** What an operator says of one server. */
export interface ServerSettings {
  /** Default: ready. */
  readonly state?: ServerState | undefined;
  /** 0 to 256; default 100. */
  readonly weight?: number | undefined;
  /** `host:port` of a server that does not register by itself. */
  readonly address?: string | undefined;
}

/** One change of the configuration: which, who, when and why. */
export interface RevisionHead {
  /** `7`, or `7@lb2` for one that lost to another change of the same revision. */
  readonly id: string;
  readonly revision: number;
  readonly at: string;
  /** Such as `operator/ana`. */
  readonly by: string;
  readonly why: string;
  /** The balancer through whose agent it was made. */
  readonly origin: string;
}

/** Tells one revision from every other, also from one of the same number made elsewhere. */
export type RevisionKey = Pick<RevisionHead, "revision" | "at" | "origin">;

export interface Revision extends RevisionHead {
  readonly document: ConfigDocument;
}

/** `GET /v1/configuration`: what holds, with every field, and which change made it so. */
export interface ConfigurationView {
  /** Absent while nothing was changed since config.yaml. */
  readonly head?: RevisionHead;
  /** All that can be changed, with the values that hold. */
  readonly document: ConfigDocument;
}

/** `PUT /v1/configuration`, `POST /v1/configuration/check` and `/diff`. */
export interface ConfigurationRequest {
  readonly document: unknown;
  readonly why?: string | undefined;
  /** Also when that undoes what this balancer could not take of another one. */
  readonly force?: boolean | undefined;
  /**
   * Refused with BALANCER_CHANGED_MEANWHILE when another revision holds; null: when anything was
   * changed since config.yaml.
   */
  readonly base?: RevisionKey | null | undefined;
}

/** What a change came to. */
export interface ChangeResult {
  readonly revision: number;
  /** False: it was so already. */
  readonly changed: boolean;
  readonly peers: readonly PeerStatus[];
}

/** Differences as lines that begin with `+`, `-` or a blank; empty when there is none. */
export interface ConfigurationDiff {
  readonly document: readonly string[];
  /** Of what the engine runs, in its own language. */
  readonly native: readonly string[];
}

/** Another balancer in front of the same cluster. */
export interface PeerStatus {
  readonly url: string;
  /** `behind`: it is there, but one of the two has not taken the other's configuration. */
  readonly state: "in step" | "behind" | "unreachable";
  readonly revision: number | null;
  readonly reason: string;
}

/** `GET /v1/statistics`: the engine's own figures by the engine's own names. */
export interface BalancerStatistics {
  readonly engine: "haproxy" | "embedded";
  readonly info: Readonly<Record<string, string>>;
  /** Frontends, backends and servers. */
  readonly rows: readonly Readonly<Record<string, string>>[];
}
