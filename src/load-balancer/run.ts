import { mkdir } from "node:fs/promises";
import { join } from "node:path";
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
import { createJsonClient } from "../mtls/client.ts";
import type { TlsMaterial } from "../mtls/identity.ts";
import { type JsonServer, startJsonServer } from "../mtls/server.ts";
import { loadTls } from "../mtls/tls-material.ts";
import type { Logger } from "../telemetry/logger.ts";
import { renderAddress } from "./address.ts";
import { type AgentParts, createAgentRoutes } from "./agent/routes.ts";
import { Arrangement } from "./agent/arrangement.ts";
import { Operator } from "./agent/operator.ts";
import { loadServers } from "./agent/registered-servers.ts";
import { describeBalancer } from "./agent/status.ts";
import { effectiveConfig, parseDocument } from "./configuration/document.ts";
import { History } from "./configuration/history.ts";
import { Peers } from "./configuration/peers.ts";
import { createEmbeddedEngine } from "./embedded/engine.ts";
import type { BalancerEngine } from "./engine.ts";
import { HopKeyring } from "./hop-keyring.ts";
import { HopRotation } from "./hop-rotation.ts";
import { createHaproxyEngine } from "./haproxy/engine.ts";

/** How long a stopping balancer waits for requests in flight. */
const drainMs = 10_000;

/** Runs a load balancer: the engine with the servers remembered from before, then the agent. */
export const runLoadBalancer: RunComponent = async (directory, { logger }) => {
  await loadMarker(directory, "load-balancer");
  const base = await loadConfig(directory, loadBalancerConfigSchema);
  const paths = componentPaths(directory);
  const tls = await loadTls(directory);
  for (const folder of [paths.run, paths.state, paths.log]) {
    await mkdir(folder, { recursive: true });
  }
  const history = await History.open(join(paths.state, "configuration"));
  const file = join(paths.state, "servers.json");
  const registered = await loadServers(file);
  const document = parseDocument(history.current?.document, base);
  const keyring = await HopKeyring.open({ file: join(paths.secrets, "hop-keys.json") });
  const config = effectiveConfig(base, document);
  const engine = await createEngine(config, { paths, keyring, tls, logger });
  const arrangement = new Arrangement({ base, registered, file, history, engine, logger });
  await engine.start(arrangement.setup().servers);
  const hop = new HopRotation({ keyring, engine, logger });
  const parts = { directory, base, tls, engine, arrangement, history, hop, logger };
  const { agent, peers } = await startAgent(parts).catch(async (error: unknown) => {
    hop.stop();
    await engine.stop({ drainMs: 0 });
    throw error;
  });
  let stopped: Promise<void> | undefined;
  return {
    ports: { http: base.http.port, agent: agent.port },
    failed: engine.failed,
    stop: () =>
      stopped ??= (async () => {
        // First the agent: nothing changes any more while the engine drains.
        hop.stop();
        await peers.stop();
        await agent.close();
        await engine.stop({ drainMs });
      })(),
  };
};

async function createEngine(
  config: LoadBalancerConfig,
  { paths, keyring, tls, logger }: {
    readonly paths: ComponentPaths;
    readonly keyring: HopKeyring;
    readonly tls: TlsMaterial;
    readonly logger: Logger;
  },
): Promise<BalancerEngine> {
  const hopKey = keyring.shown;
  if (config.engine === "haproxy") {
    return await createHaproxyEngine(config, { paths, hopKey, logger });
  }
  const accessLogFile = join(paths.log, "access.log");
  const { root: directory } = paths;
  return createEmbeddedEngine(config, {
    ...{ accessLogFile, directory, hopKey, logger },
    clusterCa: tls.ca,
  });
}

interface RunningParts {
  readonly directory: string;
  /** config.yaml as it was at the start. */
  readonly base: LoadBalancerConfig;
  readonly tls: TlsMaterial;
  readonly engine: BalancerEngine;
  readonly arrangement: Arrangement;
  readonly history: History;
  readonly hop: HopRotation;
  readonly logger: Logger;
}

/** The agent's API, and its ties to the agents of other balancers. */
async function startAgent(
  parts: RunningParts,
): Promise<{ readonly agent: JsonServer; readonly peers: Peers }> {
  const { directory, base, arrangement, history, logger } = parts;
  let { tls } = parts;
  const peers = new Peers({
    urls: base.peers,
    open: (baseUrl) =>
      createJsonClient({
        baseUrl,
        tls,
        expect: { cluster: base.cluster, role: "load-balancer" },
      }),
    revisions: () => history.revisions,
    adopt: (revisions) => arrangement.adopt(revisions),
    logger,
  });
  const renewed = async () => {
    tls = await loadTls(directory);
    agent.setTls(tls);
    peers.setUrls(arrangement.base.peers);
  };
  const agent: JsonServer = await startJsonServer({
    host: base.agent.host,
    port: base.agent.port,
    tls,
    cluster: base.cluster,
    routes: createAgentRoutes(agentParts(parts, { peers, renewed })),
    logger,
  });
  peers.start();
  return { agent, peers };
}

function agentParts(
  { directory, base, engine, arrangement, history, hop }: RunningParts,
  { peers, renewed }: {
    readonly peers: Peers;
    /** Reads the agent's certificate anew. */
    readonly renewed: () => Promise<void>;
  },
): AgentParts {
  const startedAt = new Date().toISOString();
  const { configuration } = engine;
  const loadNew = async () => {
    const next = await loadConfig(directory, loadBalancerConfigSchema);
    refuseRestartFields(arrangement.base, next, engine);
    return next;
  };
  return {
    servers: arrangement,
    hop,
    operator: new Operator({ arrangement, history, configuration, peers }),
    revisions: () => history.revisions,
    adopt: (revisions) => arrangement.adopt(revisions),
    command: (text) => engine.command(text),
    statistics: () => engine.statistics(),
    status: async () => ({
      ...describeBalancer(arrangement, await engine.status()),
      name: base.name,
      cluster: base.cluster,
      version,
      engine: engine.engine,
      engineVersion: engine.engineVersion,
      pid: process.pid,
      startedAt,
      agentUrl: `https://${renderAddress(base.agent.host, base.agent.port)}`,
      peers: peers.status(),
    }),
    config: () => ({ engine: engine.engine, text: configuration.text() }),
    check: async () => configuration.check(arrangement.setup({ base: await loadNew() })),
    reload: async () => {
      await arrangement.rebase(await loadNew());
      await renewed();
    },
  };
}

/** Fields that are read once, at the start. */
const fixedFields = ["name", "cluster", "environment", "engine", "haproxyPath", "agent", "log"];

/** What the embedded engine can change while it runs. */
const embeddedChanges = ["algorithm", "accessLog", "lines", "peers"];

function refuseRestartFields(
  before: LoadBalancerConfig,
  after: LoadBalancerConfig,
  engine: BalancerEngine,
): void {
  const isFixed = (field: string) =>
    fixedFields.includes(field) ||
    (engine.engine === "embedded" && !embeddedChanges.includes(field));
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
