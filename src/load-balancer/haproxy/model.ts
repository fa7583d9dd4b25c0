import type { LoadBalancerConfig } from "../../config/schemas.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { hopHeader, renderHop } from "../../http/forwarders.ts";
import { isHost, renderAddress } from "../address.ts";
import { checkExtraLines } from "./extra-lines.ts";
import type { TlsFiles } from "./tls-files.ts";

/** The environment variable that HAProxy takes the key towards servers from. */
export const hopVariable = "DRAGOMAN_HOP_KEY";

/** Everything that `haproxy.cfg` says, as data. Strings are safe to write into it as they are. */
export interface HaproxyModel {
  /** `host:port` that clients connect to. */
  readonly listen: string;
  readonly maxConnections: number;
  readonly retries: number;
  readonly timeouts: LoadBalancerConfig["timeouts"];
  readonly healthCheck: LoadBalancerConfig["healthCheck"];
  readonly algorithm: LoadBalancerConfig["algorithm"];
  readonly accessLog: LoadBalancerConfig["accessLog"];
  /** Lines that a person added, section by section. */
  readonly lines: LoadBalancerConfig["lines"];
  readonly limits: LoadBalancerConfig["limits"];
  readonly tls: LoadBalancerConfig["tls"];
  /** Undefined where nothing speaks TLS. */
  readonly tlsFiles: TlsFiles | undefined;
  /** `host:port` where plain HTTP is redirected. */
  readonly redirect: string | undefined;
  readonly tlsPort: number;
  /** Named in the certificates of servers. */
  readonly cluster: string;
  /** What proves to servers that a request comes from here. */
  readonly hopHeader: { readonly name: string; readonly value: string };
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
  readonly maintenance: boolean;
  /** Its share: 0 to 256. */
  readonly weight: number;
  readonly tls?: boolean | undefined;
  /** Where it says which share of that it can take. */
  readonly weightPort?: number | undefined;
}

/** Puts configuration and servers together. Throws BALANCER_BAD_LISTEN, BALANCER_BAD_LINES. */
export function createModel(
  config: LoadBalancerConfig,
  { servers, runtime, tlsFiles, user }: {
    readonly servers: readonly HaproxyServer[];
    readonly runtime: RuntimeFiles;
    readonly tlsFiles?: TlsFiles | undefined;
    readonly user?: string | undefined;
  },
): HaproxyModel {
  const { host, port } = config.http;
  checkListen(host);
  const redirect = config.tls?.redirect;
  if (redirect !== undefined) checkListen(redirect.host);
  checkExtraLines(config.lines, { secret: hopVariable });
  return {
    listen: renderAddress(host, port),
    maxConnections: config.maxConnections,
    retries: config.retries,
    timeouts: config.timeouts,
    healthCheck: config.healthCheck,
    algorithm: config.algorithm,
    accessLog: config.accessLog,
    lines: config.lines,
    limits: config.limits,
    tls: config.tls,
    tlsFiles,
    redirect: redirect && renderAddress(redirect.host, redirect.port),
    tlsPort: port,
    cluster: config.cluster,
    // The key itself stands in no file: HAProxy takes it from its environment as it starts.
    hopHeader: { name: hopHeader, value: renderHop(`\${${hopVariable}}`) },
    runtime,
    user,
    servers: servers.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function checkListen(host: string): void {
  if (host !== "*" && !isHost(host)) throw new PlatformError("BALANCER_BAD_LISTEN", { host });
}
