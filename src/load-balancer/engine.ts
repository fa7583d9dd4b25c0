import type { LoadBalancerConfig } from "../config/schemas.ts";
import type { BalancedServer } from "./api.ts";

/** A server as the agent wants it in the balancer. */
export interface BackendServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Takes nothing new, finishes what it has. */
  readonly draining: boolean;
}

/** What spreads the traffic. Two of them: HAProxy in a child process, and the embedded one. */
export interface BalancerEngine {
  readonly engine: "haproxy" | "embedded";
  readonly engineVersion: string;
  /** Begins to listen with these servers. Throws BALANCER_* with what, why and how to fix. */
  start(servers: readonly BackendServer[]): Promise<void>;
  /** Makes the live set equal to `servers`, without touching connections of those that stay. */
  setServers(servers: readonly BackendServer[]): Promise<void>;
  status(): Promise<EngineStatus>;
  /** Settles (rejects) when the engine cannot go on. */
  readonly failed: Promise<never>;
  /** Present when the configuration can be checked and changed while the engine runs. */
  readonly configuration?: EngineConfiguration;
  /** Stops accepting, lets requests in flight finish for at most `drainMs`, ends. */
  stop(options: { readonly drainMs: number }): Promise<void>;
}

export interface EngineStatus {
  readonly requestsTotal: number;
  readonly sessionsCurrent: number;
  readonly servers: readonly BalancedServer[];
}

/** An engine's own form of `config.yaml`. */
export interface EngineConfiguration {
  /** What runs now, in the engine's own language. */
  text(): string;
  /** Throws BALANCER_CONFIG_REFUSED, in the engine's own words, when `config` would not run. */
  check(config: LoadBalancerConfig): Promise<void>;
  /** Checks `config` and makes it live without dropping a connection; throws and changes nothing. */
  apply(config: LoadBalancerConfig): Promise<void>;
}
