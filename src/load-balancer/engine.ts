import type { LoadBalancerConfig } from "../config/schemas.ts";
import type { BalancerStatistics, EngineServer } from "./api.ts";

/** A server as the agent wants it in the balancer. */
export interface BackendServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Takes nothing new, finishes what it has. */
  readonly draining: boolean;
  /** Takes nothing at all, and its health is not looked at. Default false. */
  readonly maintenance?: boolean;
  /** Its share of the requests beside the other servers' weights: 0 to 256. Default 100. */
  readonly weight?: number;
  /** The hop to it is TLS; its certificate must be that of this server. Default false. */
  readonly tls?: boolean | undefined;
  /** Where it says which share of requests it can take; absent: it takes its weight. */
  readonly weightPort?: number | undefined;
}

export const defaultWeight = 100;

/** Everything that an engine runs with. */
export interface EngineSetup {
  readonly config: LoadBalancerConfig;
  /** Default: those that it has. */
  readonly servers?: readonly BackendServer[];
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
  readonly configuration: EngineConfiguration;
  /** Every figure that the engine has. */
  statistics(): Promise<BalancerStatistics>;
  /** One of the engine's own commands. Throws BALANCER_COMMAND_REFUSED, BALANCER_ENGINE_CANNOT. */
  command(text: string): Promise<string>;
  /** From now on servers are shown this key; no request is lost. */
  useHopKey(key: string): Promise<void>;
  /** Stops accepting, lets requests in flight finish for at most `drainMs`, ends. */
  stop(options: { readonly drainMs: number }): Promise<void>;
}

export interface EngineStatus {
  readonly requestsTotal: number;
  readonly sessionsCurrent: number;
  /** Processes that only finish the requests and tunnels they had before a reload. */
  readonly finishing: number;
  readonly servers: readonly EngineServer[];
}

/** An engine's own form of `config.yaml`. */
export interface EngineConfiguration {
  /** What runs now, in the engine's own language. */
  text(): string;
  /** What would run, in the engine's own language. Throws BALANCER_BAD_LINES, BALANCER_BAD_LISTEN. */
  render(setup: EngineSetup): Promise<string>;
  /** Throws BALANCER_CONFIG_REFUSED, in the engine's own words, when `setup` would not run. */
  check(setup: EngineSetup): Promise<void>;
  /** Checks `setup` and makes it live without dropping a connection; throws and changes nothing. */
  apply(setup: EngineSetup): Promise<void>;
}
