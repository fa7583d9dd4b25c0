import { randomInt } from "node:crypto";
import { join } from "node:path";
import { defaultPorts, type EnvironmentConfig } from "../../config/schemas.ts";
import type { KvdbAccess } from "../creation/kvdb-access.ts";
import { type OdbAccess, sqliteUrl } from "../creation/odb-access.ts";

/** What quickstart was asked for. */
export interface QuickstartOptions {
  /** Absolute. */
  readonly directory: string;
  readonly servers: number;
  readonly workers: number;
  /** Undefined: a SQLite file in the environment. */
  readonly odb: OdbAccess | undefined;
  /** A KVDB that runs already, or which one is made. */
  readonly kvdb: KvdbAccess | "auto" | "embedded" | "redis";
  readonly balancer: "auto" | "haproxy" | "embedded";
  readonly portOffset: number;
  /** Default true: a demo service is deployed when everything has started. */
  readonly demo?: boolean;
}

/** Every name, port and place of the environment that quickstart makes. */
export interface QuickstartPlan {
  readonly directory: string;
  readonly cluster: string;
  readonly workers: number;
  readonly odb: OdbAccess;
  readonly kvdb: KvdbAccess | {
    readonly engine: "auto" | "embedded" | "redis";
    readonly port: number;
  };
  readonly balancer: {
    readonly engine: "auto" | "haproxy" | "embedded";
    readonly port: number;
    readonly agentPort: number;
  };
  readonly servers: readonly PlannedServer[];
  readonly webAdminPort: number;
  readonly demo: boolean;
  readonly paths: PlannedPaths;
}

export interface PlannedServer {
  readonly name: string;
  readonly httpPort: number;
  readonly adminPort: number;
}

interface PlannedPaths {
  readonly authority: string;
  readonly kvdb: string;
  readonly balancer: string;
  readonly webAdmin: string;
  readonly clusterKey: string;
  server(name: string): string;
}

/** Everything quickstart puts on this machine listens here. */
export const quickstartHost = "127.0.0.1";

export function planQuickstart(options: QuickstartOptions): QuickstartPlan {
  const { directory, portOffset, kvdb } = options;
  const port = (base: number) => base + portOffset;
  return {
    directory,
    // Several quickstarts may share one database server, and one Redis.
    cluster: `quickstart-${randomInt(100_000, 1_000_000)}`,
    workers: options.workers,
    odb: options.odb ?? { url: sqliteUrl(join(directory, "odb.db")) },
    kvdb: typeof kvdb === "string" ? { engine: kvdb, port: port(defaultPorts.kvdb) } : kvdb,
    balancer: {
      engine: options.balancer,
      port: port(defaultPorts.balancer),
      agentPort: port(defaultPorts.balancerAgent),
    },
    servers: Array.from({ length: options.servers }, (_, index) => ({
      name: `server${index + 1}`,
      httpPort: port(defaultPorts.server) + index,
      adminPort: port(defaultPorts.serverAdmin) + index,
    })),
    webAdminPort: port(defaultPorts.webAdmin),
    demo: options.demo ?? true,
    paths: {
      authority: join(directory, "ca"),
      kvdb: join(directory, "kvdb"),
      balancer: join(directory, "load-balancer"),
      webAdmin: join(directory, "web-admin"),
      clusterKey: join(directory, "secrets", "cluster.key"),
      server: (name) => join(directory, name),
    },
  };
}

/** `http://127.0.0.1:17010` */
export function urlOf(scheme: "http" | "https", port: number): string {
  return `${scheme}://${quickstartHost}:${port}`;
}

/** The configuration of the environment itself. */
export function environmentOf(plan: QuickstartPlan): EnvironmentConfig {
  const part = (component: EnvironmentConfig["components"][number]["component"], name: string) => ({
    name,
    component,
    directory: name,
  });
  return {
    cluster: plan.cluster,
    environment: "development",
    components: [
      ...("engine" in plan.kvdb ? [part("kvdb", "kvdb")] : []),
      part("load-balancer", "load-balancer"),
      ...plan.servers.map(({ name }) => part("server", name)),
      part("web-admin", "web-admin"),
    ],
    adminUrls: plan.servers.map(({ adminPort }) => urlOf("https", adminPort)),
    agentUrl: urlOf("https", plan.balancer.agentPort),
    balancerUrl: urlOf("http", plan.balancer.port),
    webAdminUrl: urlOf("http", plan.webAdminPort),
  };
}

/** Every port that the environment will listen on, with what it is for. */
export function portsOf(plan: QuickstartPlan): readonly { use: string; port: number }[] {
  return [
    ...("engine" in plan.kvdb ? [{ use: "the KVDB", port: plan.kvdb.port }] : []),
    { use: "the load balancer", port: plan.balancer.port },
    { use: "the load balancer's agent", port: plan.balancer.agentPort },
    ...plan.servers.flatMap(({ name, httpPort, adminPort }) => [
      { use: name, port: httpPort },
      { use: `the admin API of ${name}`, port: adminPort },
    ]),
    { use: "the web admin", port: plan.webAdminPort },
  ];
}
