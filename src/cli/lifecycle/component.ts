import { resolve } from "node:path";
import { componentPaths, loadConfig, loadMarker } from "../../config/component.ts";
import type { RunComponent } from "../../config/running-component.ts";
import {
  type EnvironmentConfig,
  environmentConfigSchema,
  kvdbConfigSchema,
  loadBalancerConfigSchema,
  serverConfigSchema,
  webAdminConfigSchema,
} from "../../config/schemas.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import type { LogLevel } from "../../telemetry/logger.ts";

/** Components that run as a process, in the order in which they start. */
export const runnableKinds = ["kvdb", "load-balancer", "server", "web-admin"] as const;
export type RunnableKind = (typeof runnableKinds)[number];

/** A port that a component listens on. */
export interface Endpoint {
  /** What it is for: `http`, `admin`, `agent`, `kvdb`. */
  readonly use: string;
  readonly host: string;
  readonly port: number;
}

/** A component's directory, as starting, stopping and asking for its state need it. */
export interface Component {
  readonly kind: RunnableKind;
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  readonly endpoints: readonly Endpoint[];
  /** How long it may take to finish what it has when it is stopped. */
  readonly drainMs: number;
  readonly logLevel: LogLevel;
  readonly logFile: string;
  readonly pidFile: string;
}

/** One component, or all components of an environment in the order in which they start. */
export interface ComponentSet {
  readonly root: string;
  readonly environment?: EnvironmentConfig;
  readonly components: readonly Component[];
}

/** Reads a component's or an environment's directory. Throws CONFIG_*, CLI_NOT_RUNNABLE. */
export async function loadComponents(directory: string): Promise<ComponentSet> {
  const { component } = await loadMarker(directory);
  const root = resolve(directory);
  if (component !== "environment") return { root, components: [await loadComponent(root)] };
  const environment = await loadConfig(root, environmentConfigSchema, {});
  const components = await Promise.all(
    environment.components.map((part) => loadComponent(resolve(root, part.directory))),
  );
  const order = (part: Component) => runnableKinds.indexOf(part.kind);
  return { root, environment, components: components.sort((a, b) => order(a) - order(b)) };
}

/** Reads one component's directory. Throws CONFIG_*, CLI_NOT_RUNNABLE. */
export async function loadComponent(directory: string): Promise<Component> {
  const { component } = await loadMarker(directory);
  const root = resolve(directory);
  const kind = runnableKinds.find((runnable) => runnable === component);
  if (kind === undefined) {
    throw new PlatformError("CLI_NOT_RUNNABLE", { directory: root, found: component });
  }
  const { log, run } = componentPaths(root);
  const facts = await readers[kind](root);
  return {
    kind,
    directory: root,
    drainMs: 10_000,
    ...facts,
    logFile: `${log}/${kind}.log`,
    pidFile: `${run}/pid`,
  };
}

type Facts =
  & Pick<Component, "name" | "endpoints" | "logLevel">
  & Partial<Pick<Component, "drainMs">>;

const readers: Readonly<Record<RunnableKind, (directory: string) => Promise<Facts>>> = {
  async kvdb(directory) {
    const { name, listen, log } = await loadConfig(directory, kvdbConfigSchema);
    return { name, endpoints: [{ use: "kvdb", ...listen }], logLevel: log.level };
  },
  async "load-balancer"(directory) {
    const { name, http, agent, log } = await loadConfig(directory, loadBalancerConfigSchema);
    const endpoints = [{ use: "http", ...http }, { use: "agent", ...agent }];
    return { name, endpoints, logLevel: log.level };
  },
  async server(directory) {
    const { name, http, admin, limits, log } = await loadConfig(directory, serverConfigSchema);
    const endpoints = [{ use: "http", ...http }, { use: "admin", ...admin }];
    return { name, endpoints, drainMs: limits.drainMs, logLevel: log.level };
  },
  async "web-admin"(directory) {
    const { name, http, log } = await loadConfig(directory, webAdminConfigSchema);
    return { name, endpoints: [{ use: "http", ...http }], logLevel: log.level };
  },
};

/** What runs each component in this process, loaded only where it runs. */
export const runners: Readonly<Record<RunnableKind, () => Promise<RunComponent>>> = {
  kvdb: async () => (await import("../../kvdb/run.ts")).runKvdb,
  "load-balancer": async () => (await import("../../load-balancer/run.ts")).runLoadBalancer,
  server: async () => (await import("../../admin-api/run.ts")).runServer,
  "web-admin": async () => (await import("../../../web-admin/server/run.ts")).runWebAdmin,
};

/** `Server`, `Load balancer`...: how messages call a component. */
export function kindTitle(kind: RunnableKind): string {
  const titles = {
    kvdb: "KVDB",
    "load-balancer": "Load balancer",
    server: "Server",
    "web-admin": "Web admin",
  } as const;
  return titles[kind];
}
