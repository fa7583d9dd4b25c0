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
import { TrialProcesses } from "../server/deploy/trial-processes.ts";
import { BalancerRegistration } from "../server/supervisor/balancer-registration.ts";
import { startInvocationPruning } from "../server/supervisor/invocation-pruning.ts";
import type { InvocationRunner } from "../server/supervisor/invocation-runner.ts";
import { createRequestHandler } from "../server/supervisor/requests.ts";
import { type ServerAddresses, Supervisor } from "../server/supervisor/supervisor.ts";
import { WorkerPool } from "../server/supervisor/worker-pool.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AdminContext } from "./context.ts";
import { startDeploySources } from "./deploy-sources.ts";
import { PeerClients } from "./peer-clients.ts";
import { connectionRoutes } from "./routes/connections.ts";
import { deploymentRoutes } from "./routes/deployments.ts";
import { invocationRoutes } from "./routes/invocations.ts";
import { objectRoutes } from "./routes/objects.ts";
import { serviceRoutes } from "./routes/services.ts";
import { statusRoutes } from "./routes/status.ts";
import { findServerAddresses } from "./server-addresses.ts";
import { createInvocationRunner } from "./server-invocations.ts";
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
  const trials = cleanUp.use(new TrialProcesses());
  const addresses = await findServerAddresses(config);
  const parts = { bundles, link, events, addresses };
  const { supervisor, invocations } = createSupervisor(assembly, parts);
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
  const context: AdminContext = {
    cluster: config.cluster,
    supervisor,
    desired,
    link,
    kinds,
    bundles,
    trials,
    clusterKey,
    announce: (revision) => events.announce(revision),
    keepBundles: config.deployments.keepBundles,
    enqueue: (invocation) => invocations.enqueue(invocation),
    wakeInvocations: () => {
      invocations.wake();
      events.announceWork();
    },
    peer: (adminUrl) => peers.get(adminUrl),
    logger: log,
  };
  const api = await startAdminApi(context, { config, tls });
  cleanUp.defer(() => api.close());
  await joinCluster(assembly, { supervisor, desired, link, invocations, address: addresses.http });
  cleanUp.defer(startPruning(config, link, log));
  const stopSources = await startDeploySources(context, assembly);
  log.info("Server is up", { http: config.http, admin: config.admin, workers: config.workers });
  return {
    ports: { http: config.http.port, admin: api.port },
    failed: new Promise(() => {}), // it goes on whatever happens to its workers and peers
    stop: async () => {
      await stopSources();
      await supervisor.stop();
      await cleanUp.disposeAsync();
    },
  };
}

/** Starts serving, and tells the ODB and the balancer's agent. */
async function joinCluster(
  { config, tls, log: logger, cleanUp }: Assembly,
  { supervisor, desired, link, invocations, address }: {
    readonly supervisor: Supervisor;
    readonly desired: DesiredState;
    readonly link: OdbLink;
    readonly invocations: InvocationRunner;
    readonly address: ServerAddresses["http"];
  },
): Promise<void> {
  const server = config.name;
  const agent = agentOf(config, tls);
  cleanUp.defer(() => agent?.close());
  const report = () => supervisor.report();
  await supervisor.start({
    desired,
    membership: new Membership({ link, name: server, report, logger }),
    registration: agent === undefined
      ? undefined
      : new BalancerRegistration({ agent, server, address, logger }),
    invocations,
  });
}

function createSupervisor(
  assembly: Assembly,
  { events, ...parts }: {
    readonly bundles: BundleFiles;
    readonly link: OdbLink;
    readonly events: ClusterEvents;
    readonly addresses: ServerAddresses;
  },
): { readonly supervisor: Supervisor; readonly invocations: InvocationRunner } {
  const { config, log: logger } = assembly;
  const { link } = parts;
  const invocations = createInvocationRunner(config, { link, events, logger, pool: () => pool });
  const pool: WorkerPool = new WorkerPool({
    count: config.workers,
    init: workerInit(assembly),
    logger,
    onRequest: createRequestHandler({
      link,
      enqueue: (one) => invocations.enqueue(one),
      workers: () => pool.serving(),
    }),
    onChange: () => supervisor.changed(),
  });
  const kvdbStatus = () => events.status();
  const supervisor = new Supervisor({ config, pool, kvdbStatus, logger, ...parts });
  return { supervisor, invocations };
}

function startPruning({ invocations }: ServerConfig, link: OdbLink, logger: Logger): () => void {
  const { keepDoneHours, keepFailedDays } = invocations;
  const keep = { doneMs: keepDoneHours * 3_600_000, failedMs: keepFailedDays * 86_400_000 };
  return startInvocationPruning({ link, keep, logger });
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

function workerInit({ config, clusterKeyText, kvdbPassword }: Assembly) {
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
    apiDocs: config.apiDocs ?? environment === "development",
    kvdb: config.kvdb === undefined ? undefined : { ...config.kvdb, password: kvdbPassword },
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
      ...connectionRoutes(context),
      ...serviceRoutes(context),
      ...deploymentRoutes(context),
      ...invocationRoutes(context),
    ],
  });
}

function agentOf(config: ServerConfig, tls: TlsMaterial): AgentClient | undefined {
  const url = config.loadBalancer?.agentUrl;
  return url === undefined ? undefined : createAgentClient({ url, tls, cluster: config.cluster });
}
