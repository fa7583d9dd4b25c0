import type { LoadBalancerConfig } from "../../config/schemas.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { isHost, renderAddress } from "../address.ts";

/** Everything that `haproxy.cfg` says, as data. Strings are safe to write into it as they are. */
export interface HaproxyModel {
  /** `host:port` that clients connect to. */
  readonly listen: string;
  readonly maxConnections: number;
  readonly retries: number;
  readonly timeouts: LoadBalancerConfig["timeouts"];
  readonly healthCheck: LoadBalancerConfig["healthCheck"];
  readonly runtime: RuntimeFiles;
  /** Whom HAProxy becomes once it listens; undefined: it stays who started it. */
  readonly user: string | undefined;
  readonly servers: readonly HaproxyServer[];
}

/** Where HAProxy and its agent meet; paths without characters that would need quoting. */
export interface RuntimeFiles {
  /** Control socket; mode 0600. */
  readonly socket: string;
  /** What a reloaded HAProxy learns about the health of servers from the one before it. */
  readonly serverState: string;
}

export interface HaproxyServer {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  readonly draining: boolean;
}

/** Puts configuration and servers together. Throws BALANCER_BAD_LISTEN. */
export function createModel(
  config: LoadBalancerConfig,
  { servers, runtime, user }: {
    readonly servers: readonly HaproxyServer[];
    readonly runtime: RuntimeFiles;
    readonly user?: string | undefined;
  },
): HaproxyModel {
  const { host, port } = config.http;
  if (host !== "*" && !isHost(host)) throw new PlatformError("BALANCER_BAD_LISTEN", { host });
  return {
    listen: renderAddress(host, port),
    maxConnections: config.maxConnections,
    retries: config.retries,
    timeouts: config.timeouts,
    healthCheck: config.healthCheck,
    runtime,
    user,
    servers: servers.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
