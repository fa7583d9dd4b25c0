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
  readonly servers: readonly BalancedServer[];
}

/**
 * `up` takes traffic; `down` fails its health checks; `draining` finishes what it has and takes
 * nothing new; `starting` has not answered a health check yet.
 */
export type BalancedServerState = "starting" | "up" | "draining" | "down";

export interface BalancedServer {
  readonly name: string;
  /** `host:port` */
  readonly address: string;
  readonly state: BalancedServerState;
  /** When `state` began, ISO 8601. */
  readonly since: string;
  /** Why it is in that state, in words: `Layer7 check: 503`, `connection refused`. */
  readonly reason: string;
  readonly sessionsCurrent: number;
  readonly requestsTotal: number;
  readonly errorsTotal: number;
}

/** `PUT /v1/servers/:name`: a server announces where it really listens. Repeating it is harmless. */
export interface Registration {
  readonly host: string;
  readonly port: number;
}

/** `GET /v1/config`: what the engine runs, in its own language. */
export interface ConfigText {
  readonly engine: "haproxy" | "embedded";
  /** `haproxy.cfg`, or YAML for the embedded engine. */
  readonly text: string;
}
