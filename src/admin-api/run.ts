import { join } from "node:path";
import { DesiredState } from "../cluster/desired-state.ts";
import { type ClusterEvents, openClusterEvents } from "../cluster/events.ts";
import { Membership } from "../cluster/membership.ts";
import { OdbLink } from "../cluster/odb-link.ts";
import { SnapshotFile } from "../cluster/snapshot-file.ts";
import { componentPaths, loadConfig, loadMarker } from "../config/component.ts";
import type { RunComponent } from "../config/running-component.ts";
import { type ServerConfig, serverConfigSchema } from "../config/schemas.ts";
import { kinds } from "../connectors/registry.ts";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { isPortFree } from "../lib/ports.ts";
import { poll } from "../lib/wait.ts";
import { type AgentClient, createAgentClient } from "../load-balancer/client.ts";
import type { TlsMaterial } from "../mtls/identity.ts";
import { type JsonServer, startJsonServer } from "../mtls/server.ts";
import { openOdb } from "../odb/open.ts";
import type { Odb } from "../odb/types.ts";
import { verifyKeyCheck } from "../security/cluster-key.ts";
import { BundleFiles } from "../server/deploy/bundle-files.ts";
import { BalancerRegistration } from "../server/supervisor/balancer-registration.ts";
import { type ServerAddresses, Supervisor } from "../server/supervisor/supervisor.ts";
import { WorkerPool } from "../server/supervisor/worker-pool.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AdminContext } from "./context.ts";
import { PeerClients } from "./peer-clients.ts";
import { deploymentRoutes } from "./routes/deployments.ts";
import { objectRoutes } from "./routes/objects.ts";
import { serviceRoutes } from "./routes/services.ts";
import { statusRoutes } from "./routes/status.ts";
import { findServerAddresses } from "./server-addresses.ts";
import { loadServerMaterial, type ServerMaterial } from "./server-material.ts";

/**
 * Runs a server: its supervisor, its workers and its admin API. Resolves when a worker serves.
 * Throws SERVER_* with what, why and how to fix; nothing is left running then.
 */
export const runServer: RunComponent = async (directory, { logger }) => {
  await loadMarker(directory, "server");
  const config = await loadConfig(directory, serverConfigSchema);
  const log = logger.child({ server: config.name });
  const material = await loadServerMaterial(directory, config);
  await checkPorts(directory, config);
  const cleanUp = new AsyncDisposableStack();
  try {
    return await assemble({ directory, config, log, ...material, cleanUp });
  } catch (error) {
    await cleanUp.disposeAsync();
    throw error;
  }
};

interface Assembly extends ServerMaterial {
  readonly directory: string;
  readonly config: ServerConfig;
  readonly log: Logger;
  /** Ends what has been begun, in the opposite order. */
  readonly cleanUp: AsyncDisposableStack;
}

async function assemble(assembly: Assembly): ReturnType<RunComponent> {
  const { config, log, cleanUp, directory, clusterKey, tls } = assembly;
  const paths = componentPaths(directory);
  const odb = await openServerOdb(assembly);
  const link = new OdbLink({ odb, cluster: config.cluster, logger: log });
  cleanUp.defer(() => link.close());
  const events = await openClusterEvents({
    cluster: config.cluster,
    url: config.kvdb?.url,
    password: assembly.kvdbPassword,
    logger: log,
  });
  cleanUp.defer(() => events.close());

  const bundles = new BundleFiles(join(paths.state, "bundles"));
  const addresses = await findServerAddresses(config);
  const supervisor = createSupervisor(assembly, { bundles, link, events, addresses });
  cleanUp.defer(() => supervisor.stop());
  const desired = new DesiredState({
    link,
    file: new SnapshotFile(join(paths.state, "snapshot.json"), log),
    apply: (snapshot) => supervisor.apply(snapshot),
    logger: log,
  });
  events.onAnnounced(() => void desired.check());

  const peers = new PeerClients(tls, config.cluster);
  cleanUp.defer(() => peers.close());
  const api = await startAdminApi({
    cluster: config.cluster,
    supervisor,
    desired,
    link,
    kinds,
    bundles,
    clusterKey,
    announce: (revision) => events.announce(revision),
    peer: (adminUrl) => peers.get(adminUrl),
    logger: log,
  }, { config, tls });
  cleanUp.defer(() => api.close());
  const agent = agentOf(config, tls);
  cleanUp.defer(() => agent?.close());
  await supervisor.start({
    desired,
    membership: new Membership({
      link,
      name: config.name,
      report: () => supervisor.report(),
      logger: log,
    }),
    registration: agent === undefined ? undefined : new BalancerRegistration({
      agent,
      server: config.name,
      address: addresses.http,
      logger: log,
    }),
  });
  log.info("Server is up", { http: config.http, admin: config.admin, workers: config.workers });
  return {
    ports: { http: config.http.port, admin: api.port },
    failed: new Promise(() => {}), // it goes on whatever happens to its workers and peers
    stop: async () => {
      await supervisor.stop();
      await cleanUp.disposeAsync();
    },
  };
}

function createSupervisor(
  assembly: Assembly,
  { events, ...parts }: {
    readonly bundles: BundleFiles;
    readonly link: OdbLink;
    readonly events: ClusterEvents;
    readonly addresses: ServerAddresses;
  },
): Supervisor {
  const { config, log: logger } = assembly;
  const pool = new WorkerPool({
    count: config.workers,
    init: workerInit(assembly),
    logger,
    onChange: () => supervisor.changed(),
  });
  const kvdbStatus = () => events.status();
  const supervisor = new Supervisor({ config, pool, kvdbStatus, logger, ...parts });
  return supervisor;
}

async function checkPorts(directory: string, config: ServerConfig): Promise<void> {
  for (
    const [what, { host, port }] of Object.entries({
      HTTP: config.http,
      "its admin API": config.admin,
    })
  ) {
    // Workers of a supervisor that was killed need a moment to notice and leave.
    const free = await poll(async () => (await isPortFree(port, host)) || undefined, {
      timeoutMs: 8_000,
      intervalMs: 100,
    });
    if (free) continue;
    const { config: file } = componentPaths(directory);
    throw new PlatformError("SERVER_PORT_IN_USE", {
      server: config.name,
      host,
      port,
      what,
      config: file,
    });
  }
}

/** Opens the ODB lazily; when it answers, it must be of our version and our key must be its key. */
async function openServerOdb(
  { config, odbPassword, clusterKey, log, cleanUp }: Assembly,
): Promise<Odb> {
  const odb = await openOdb({
    url: config.odb.url,
    ...(odbPassword === undefined ? {} : { password: odbPassword }),
    logger: log,
    lazy: true,
  });
  cleanUp.defer(() => odb.close());
  try {
    await odb.checkSchema();
    const { row } = await odb.cluster(config.cluster);
    if (!verifyKeyCheck(row.keyCheck, clusterKey)) {
      const { name: server, cluster } = config;
      throw new PlatformError("SERVER_WRONG_KEY", { server, cluster });
    }
  } catch (error) {
    // Out of reach is no reason not to start: the saved state is for that.
    if (!isPlatformError(error, "ODB_UNREACHABLE")) throw error;
  }
  return odb;
}

function workerInit({ config, clusterKeyText }: Assembly) {
  const { name: server, cluster, environment, http, limits, log, trustedProxies } = config;
  return {
    server,
    cluster,
    environment,
    http,
    limits,
    clusterKey: clusterKeyText,
    logLevel: log.level,
    trustedProxies,
  };
}

function startAdminApi(
  context: AdminContext,
  { config, tls }: { readonly config: ServerConfig; readonly tls: TlsMaterial },
): Promise<JsonServer> {
  return startJsonServer({
    ...config.admin,
    tls,
    cluster: config.cluster,
    logger: context.logger,
    routes: [
      ...statusRoutes(context),
      ...objectRoutes(context),
      ...serviceRoutes(context),
      ...deploymentRoutes(context),
    ],
  });
}

function agentOf(config: ServerConfig, tls: TlsMaterial): AgentClient | undefined {
  const url = config.loadBalancer?.agentUrl;
  return url === undefined ? undefined : createAgentClient({ url, tls, cluster: config.cluster });
}
