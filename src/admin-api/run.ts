import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DesiredState } from "../cluster/desired-state.ts";
import { LeaseKeeper } from "../cluster/leases/lease-keeper.ts";
import { leaseTimingFor } from "../cluster/leases/lease-timing.ts";
import { type ClusterEvents, openClusterEvents } from "../cluster/events.ts";
import { Membership } from "../cluster/membership.ts";
import { nameTakenBy, takeName } from "../cluster/namesake.ts";
import { OdbLink } from "../cluster/odb-link.ts";
import { OwnDisk } from "../cluster/own-disk.ts";
import { Presence } from "../cluster/presence.ts";
import { SnapshotFile } from "../cluster/snapshot-file.ts";
import { componentPaths, loadConfig, loadMarker } from "../config/component.ts";
import type { RunComponent } from "../config/running-component.ts";
import { type ServerConfig, serverConfigSchema } from "../config/schemas.ts";
import { kinds } from "../connectors/registry.ts";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { isPortFree } from "../lib/ports.ts";
import { poll } from "../lib/wait.ts";
import type { TlsMaterial } from "../mtls/identity.ts";
import { loadTls } from "../mtls/tls-material.ts";
import { type JsonServer, startJsonServer } from "../mtls/server.ts";
import { openOdb } from "../odb/open.ts";
import type { LeaseHolder } from "../odb/lease-types.ts";
import type { Odb } from "../odb/types.ts";
import { parseOdbUrl } from "../odb/url.ts";
import { verifyKeyCheck } from "../security/cluster-key.ts";
import { BundleFiles } from "../server/deploy/bundle-files.ts";
import { TrialProcesses } from "../server/deploy/trial-processes.ts";
import type { InvocationRunner } from "../server/supervisor/invocation-runner.ts";
import { startPruning } from "../server/supervisor/pruning.ts";
import { RequestKeys } from "../server/supervisor/request-keys.ts";
import { createRequestHandler } from "../server/supervisor/requests.ts";
import type { Scheduler } from "../server/supervisor/scheduler/scheduler.ts";
import {
  type ServerAddresses,
  Supervisor,
  type SupervisorTies,
} from "../server/supervisor/supervisor.ts";
import { WorkerPool } from "../server/supervisor/worker-pool.ts";
import { standardOutput } from "../telemetry/line-sink.ts";
import type { Logger } from "../telemetry/logger.ts";
import { certificatesInUse } from "./certificates.ts";
import type { AdminContext } from "./context.ts";
import { startDeploySources } from "./deploy/sources.ts";
import { PeerClients } from "./peer-clients.ts";
import { connectionRoutes } from "./routes/connections.ts";
import { driftRoutes } from "./routes/drift.ts";
import { deploymentRoutes } from "./routes/deployments.ts";
import { invocationRoutes } from "./routes/invocations.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { leaseRoutes } from "./routes/leases.ts";
import { objectRoutes } from "./routes/objects.ts";
import { serviceRoutes } from "./routes/services.ts";
import { statusRoutes } from "./routes/status.ts";
import { findServerAddresses } from "./server-addresses.ts";
import { createInvocationRunner } from "./work/server-invocations.ts";
import { checkHopCertificate, prepareBalancers } from "../server/supervisor/prepare-balancers.ts";
import { createScheduler } from "./work/server-scheduler.ts";
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
  checkHopCertificate(directory, config, material.tls);
  await checkPorts(directory, config);
  const cleanUp = new AsyncDisposableStack();
  try {
    const holder = { server: config.name, incarnation: randomUUID() };
    return await assemble({ directory, config, holder, log, ...material, cleanUp });
  } catch (error) {
    await cleanUp.disposeAsync();
    throw error;
  }
};

interface Assembly extends ServerMaterial {
  readonly directory: string;
  readonly config: ServerConfig;
  /** This life of this server. */
  readonly holder: LeaseHolder;
  readonly log: Logger;
  /** Ends what has been begun, in the opposite order. */
  readonly cleanUp: AsyncDisposableStack;
}

async function assemble(assembly: Assembly): ReturnType<RunComponent> {
  const { config, log, cleanUp, directory, clusterKey, tls } = assembly;
  const paths = componentPaths(directory);
  const { link, events } = await openLinks(assembly);
  const disk = openDisk(assembly, paths.state);
  const bundles = new BundleFiles(join(paths.state, "bundles"));
  const trials = cleanUp.use(new TrialProcesses());
  const addresses = await findServerAddresses(config);
  const presence = new Presence();
  const keys = new RequestKeys({ link, holder: assembly.holder, presence, logger: log });
  const parts = { bundles, disk, link, events, addresses, keys };
  const { supervisor, pool, invocations } = createSupervisor(assembly, parts);
  cleanUp.defer(() => supervisor.stop());
  const { desired, leases, scheduler } = createFollowers(assembly, {
    ...{ supervisor, pool, link, events, disk },
  });
  const peers = new PeerClients(tls, config.cluster);
  cleanUp.defer(() => peers.close());
  const restart = Promise.withResolvers<void>();
  const context: AdminContext = {
    cluster: config.cluster,
    supervisor,
    desired,
    link,
    presence,
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
    scheduler,
    peer: (adminUrl) => peers.get(adminUrl),
    certificates: async () => certificatesInUse(await loadTls(directory), config),
    restart: () => restart.resolve(),
    logger: log,
  };
  const api = await startAdminApi(context, { config, tls });
  cleanUp.defer(() => api.close());
  await takeName(link, supervisor.report(), config.cluster);
  const part = {
    ...{ keys, presence },
    work: [leases, scheduler, invocations],
    standing: () => ({ leases: leases.held(), alarms: scheduler.alarms }),
  };
  const address = addresses.http;
  const joined = await joinCluster(assembly, { ...part, supervisor, pool, desired, link, address });
  for (const stop of startPruning(config, { link, logger: log })) cleanUp.defer(stop);
  const stopSources = await startDeploySources(context, assembly);
  log.info("Server is up", { http: config.http, admin: config.admin, workers: config.workers });
  return {
    ports: { http: config.http.port, admin: api.port },
    failed: joined.refused, // it goes on whatever happens to its workers and peers
    restart: restart.promise,
    stop: async () => {
      await stopSources();
      await supervisor.stop();
      await cleanUp.disposeAsync();
    },
  };
}

/** The server's own disk, looked at from now on. */
function openDisk({ log, cleanUp }: Assembly, directory: string): OwnDisk {
  const disk = new OwnDisk({ directory, logFailure: standardOutput.failure, logger: log });
  cleanUp.defer(() => disk.stop());
  disk.start();
  return disk;
}

/** The ways to ODB and KVDB, whether or not these answer yet. */
async function openLinks(
  assembly: Assembly,
): Promise<{ readonly link: OdbLink; readonly events: ClusterEvents }> {
  const { config, log, cleanUp, kvdbPassword: password } = assembly;
  const { cluster } = config;
  const odb = await openServerOdb(assembly);
  const link = new OdbLink({ odb, cluster, logger: log });
  cleanUp.defer(() => link.close());
  const events = await openClusterEvents({ cluster, url: config.kvdb?.url, password, logger: log });
  cleanUp.defer(() => events.close());
  return { link, events };
}

/** What follows the cluster: its desired state, its leases, its jobs. */
function createFollowers(
  assembly: Assembly,
  { supervisor, pool, link, events, disk }: {
    readonly supervisor: Supervisor;
    readonly pool: WorkerPool;
    readonly link: OdbLink;
    readonly events: ClusterEvents;
    readonly disk: OwnDisk;
  },
): {
  readonly desired: DesiredState;
  readonly leases: LeaseKeeper;
  readonly scheduler: Scheduler;
} {
  const { directory, holder, log: logger } = assembly;
  const desired = new DesiredState({
    link,
    file: new SnapshotFile(join(componentPaths(directory).state, "snapshot.json")),
    disk,
    apply: (snapshot) => {
      scheduler.replan();
      return supervisor.apply(snapshot);
    },
    logger,
  });
  events.onAnnounced(() => void desired.check());
  const leases = new LeaseKeeper({
    link,
    holder,
    logger,
    timing: leaseTimingFor(parseOdbUrl(assembly.config.odb.url).dialect),
  });
  const scheduler: Scheduler = createScheduler(assembly, {
    ...{ link, events, leases, pool, desired, logger },
  });
  return { desired, leases, scheduler };
}

/**
 * Starts serving, and tells the ODB and the balancer's agent. `refused` rejects when another life of
 * this server has its name.
 */
async function joinCluster(
  { directory, config, tls, log: logger, cleanUp }: Assembly,
  { supervisor, pool, desired, link, address, presence, ...part }:
    & Pick<SupervisorTies, "work" | "standing" | "keys">
    & {
      readonly presence: Presence;
      readonly supervisor: Supervisor;
      readonly pool: WorkerPool;
      readonly desired: DesiredState;
      readonly link: OdbLink;
      readonly address: ServerAddresses["http"];
    },
): Promise<{ readonly refused: Promise<never> }> {
  const ties = { directory, config, tls, address, pool, logger, cleanUp };
  const registration = await prepareBalancers(ties);
  const report = () => supervisor.report();
  const refusal = Promise.withResolvers<never>();
  refusal.promise.catch(() => {}); // it may come before anybody waits for it
  const takeLate = () =>
    takeName(link, report(), config.cluster).then(() => true, (error) => {
      if (isPlatformError(error, "SERVER_NAME_TAKEN")) return false;
      throw error;
    });
  const onRefused = () => {
    void nameTakenBy(link, report(), config.cluster).then(refusal.reject);
  };
  await supervisor.start({
    desired,
    membership: new Membership({ link, report, takeLate, onRefused, presence, logger }),
    registration,
    ...part,
  });
  return { refused: refusal.promise };
}

function createSupervisor(
  assembly: Assembly,
  { events, keys, ...parts }: {
    readonly keys: RequestKeys;
    readonly bundles: BundleFiles;
    readonly disk: OwnDisk;
    readonly link: OdbLink;
    readonly events: ClusterEvents;
    readonly addresses: ServerAddresses;
  },
): {
  readonly supervisor: Supervisor;
  readonly pool: WorkerPool;
  readonly invocations: InvocationRunner;
} {
  const { config, holder, log: logger } = assembly;
  const identity = {
    incarnation: holder.incarnation,
    keyId: assembly.clusterKey.id,
    certificates: certificatesInUse(assembly.tls, config),
  };
  const { link } = parts;
  const invocations = createInvocationRunner(config, { link, events, logger, pool: () => pool });
  const pool: WorkerPool = new WorkerPool({
    count: config.workers,
    init: workerInit(assembly),
    drainMs: config.limits.drainMs,
    logger,
    checkBundles: (bundles) => supervisor.checkBundles(bundles),
    onRequest: createRequestHandler({
      link,
      keys,
      enqueue: (one) => invocations.enqueue(one),
      workers: () => pool.reachable(),
    }),
    onChange: () => supervisor.changed(),
  });
  const kvdbStatus = () => events.status();
  const supervisor = new Supervisor({ config, ...identity, pool, kvdbStatus, logger, ...parts });
  return { supervisor, pool, invocations };
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
    // A database that is back is not noticed while a question from before is waited for.
    queryTimeoutMs: 5_000,
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

function workerInit({ config, clusterKeyText, kvdbPassword, tls: { cert, key } }: Assembly) {
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
    tls: http.tls ? { cert, key } : undefined,
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
      ...driftRoutes(context),
      ...objectRoutes(context),
      ...connectionRoutes(context),
      ...serviceRoutes(context),
      ...deploymentRoutes(context),
      ...invocationRoutes(context),
      ...jobRoutes(context),
      ...leaseRoutes(context),
    ],
  });
}
