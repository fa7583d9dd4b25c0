import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import {
  type ComponentPaths,
  componentPaths,
  loadConfig,
  loadMarker,
  version,
} from "../config/component.ts";
import type { RunComponent } from "../config/running-component.ts";
import { type LoadBalancerConfig, loadBalancerConfigSchema } from "../config/schemas.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { type JsonServer, startJsonServer } from "../mtls/server.ts";
import { loadTls } from "../mtls/tls-material.ts";
import type { Logger } from "../telemetry/logger.ts";
import { renderAddress } from "./address.ts";
import { type AgentParts, createAgentRoutes } from "./agent/routes.ts";
import { loadServers, ServerList } from "./agent/server-list.ts";
import { createEmbeddedEngine } from "./embedded/engine.ts";
import type { BalancerEngine } from "./engine.ts";
import { createHaproxyEngine } from "./haproxy/engine.ts";

/** How long a stopping balancer waits for requests in flight. */
const drainMs = 10_000;

/** Runs a load balancer: the engine with the servers remembered from before, then the agent. */
export const runLoadBalancer: RunComponent = async (directory, { logger }) => {
  await loadMarker(directory, "load-balancer");
  const config = await loadConfig(directory, loadBalancerConfigSchema);
  const paths = componentPaths(directory);
  const tls = await loadTls(directory);
  await mkdir(paths.run, { recursive: true });
  await mkdir(paths.state, { recursive: true });
  const file = join(paths.state, "servers.json");
  const remembered = await loadServers(file);
  const engine = await createEngine(config, paths, logger);
  await engine.start(remembered);
  const servers = new ServerList(remembered, { file, engine, logger });
  const renewed = async () => agent.setTls(await loadTls(directory));
  const agent: JsonServer = await startJsonServer({
    host: config.agent.host,
    port: config.agent.port,
    tls,
    cluster: config.cluster,
    routes: createAgentRoutes(agentParts(directory, { config, engine, servers, renewed })),
    logger,
  }).catch(async (error: unknown) => {
    await engine.stop({ drainMs: 0 });
    throw error;
  });
  let stopped: Promise<void> | undefined;
  return {
    ports: { http: config.http.port, agent: agent.port },
    failed: engine.failed,
    stop: () =>
      stopped ??= (async () => {
        // First the agent: nothing changes any more while the engine drains.
        await agent.close();
        await engine.stop({ drainMs });
      })(),
  };
};

async function createEngine(
  config: LoadBalancerConfig,
  paths: ComponentPaths,
  logger: Logger,
): Promise<BalancerEngine> {
  if (config.engine === "haproxy") return await createHaproxyEngine(config, { paths, logger });
  return createEmbeddedEngine(config, { logger });
}

interface RunningParts {
  readonly config: LoadBalancerConfig;
  readonly engine: BalancerEngine;
  readonly servers: ServerList;
  /** Reads the agent's certificate anew. */
  readonly renewed: () => Promise<void>;
}

function agentParts(
  directory: string,
  { config, engine, servers, renewed }: RunningParts,
): AgentParts {
  const startedAt = new Date().toISOString();
  let current = config;
  const loadNew = async () => {
    const next = await loadConfig(directory, loadBalancerConfigSchema);
    refuseRestartFields(current, next, engine);
    return next;
  };
  return {
    servers,
    status: async () => ({
      name: config.name,
      cluster: config.cluster,
      version,
      engine: engine.engine,
      engineVersion: engine.engineVersion,
      pid: process.pid,
      startedAt,
      url: `http://${renderAddress(current.http.host, current.http.port)}`,
      agentUrl: `https://${renderAddress(config.agent.host, config.agent.port)}`,
      ...await engine.status(),
    }),
    config: () => ({
      engine: engine.engine,
      text: engine.configuration?.text() ?? stringify(current),
    }),
    check: async () => {
      const next = await loadNew();
      await engine.configuration?.check(next);
    },
    reload: async () => {
      const next = await loadNew();
      await engine.configuration?.apply(next);
      await renewed();
      current = next;
    },
  };
}

/** Fields that are read once, at the start. */
const fixedFields = ["name", "cluster", "environment", "engine", "haproxyPath", "agent", "log"];

function refuseRestartFields(
  before: LoadBalancerConfig,
  after: LoadBalancerConfig,
  engine: BalancerEngine,
): void {
  const isFixed = (field: string) =>
    engine.configuration === undefined || fixedFields.includes(field);
  const fields = Object.keys(loadBalancerConfigSchema.shape).filter((field) =>
    isFixed(field) &&
    JSON.stringify(valueOf(before, field)) !== JSON.stringify(valueOf(after, field))
  );
  if (fields.length > 0) {
    throw new PlatformError("BALANCER_NEEDS_RESTART", { fields: fields.join(", ") });
  }
}

function valueOf(config: LoadBalancerConfig, field: string): unknown {
  return Object.entries(config).find(([key]) => key === field)?.[1];
}
