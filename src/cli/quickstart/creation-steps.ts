import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { loadText } from "../../config/yaml-source.ts";
import { generatePassword, generateToken } from "../../lib/random-secret.ts";
import { createBalancer } from "../creation/create-balancer.ts";
import { createCluster } from "../creation/create-cluster.ts";
import { createConsole } from "../creation/create-console.ts";
import { createEnvironment } from "../creation/create-environment.ts";
import { createServer } from "../creation/create-server.ts";
import type { KvdbAccess } from "../creation/kvdb-access.ts";
import { createOdb } from "../creation/odb-access.ts";
import { layDemo } from "./first-start.ts";
import {
  environmentOf,
  type PlannedServer,
  quickstartHost as host,
  type QuickstartPlan,
  urlOf,
} from "./plan.ts";
import type { Step } from "./steps.ts";

/** Who may log in to the web admin that was made. */
export interface AdminUser {
  readonly username: string;
  readonly password: string;
}

const environment = "development";

/** The steps that make every directory of the plan. The functions are those of the commands. */
export function creationSteps(plan: QuickstartPlan): {
  readonly steps: readonly Step[];
  readonly admin: AdminUser;
} {
  const admin = { username: "admin", password: generatePassword() };
  const { cluster, paths, odb } = plan;
  const tls = { authority: paths.authority };
  const kvdbPassword = generateToken();
  const steps: Step[] = [
    { title: "Certificate authority", run: () => createCa(paths.authority) },
    {
      title: "ODB schema",
      async run() {
        const { address, from, to } = await createOdb(odb);
        return from === to ? `${address} is up to date` : `${address}, version ${to}`;
      },
    },
    {
      title: "Cluster and its key",
      async run() {
        await mkdir(dirname(paths.clusterKey), { recursive: true, mode: 0o700 });
        await createCluster(odb, { name: cluster, keyFile: paths.clusterKey });
        return cluster;
      },
    },
    { title: "KVDB", run: () => createOrPingKvdb(plan, kvdbPassword) },
    {
      title: "Load balancer",
      run: () =>
        createBalancer(paths.balancer, {
          name: "load-balancer",
          cluster,
          environment,
          engine: plan.balancer.engine,
          http: { host, port: plan.balancer.port },
          agent: { host, port: plan.balancer.agentPort },
          tls,
        }),
    },
    ...plan.servers.map((server) => ({
      title: `Server ${server.name}`,
      run: () => makeServer(plan, server, kvdbPassword),
    })),
    { title: "Web admin with user admin", run: () => makeConsole(plan, admin) },
    {
      title: "Environment and operator's certificate",
      async run() {
        if (plan.demo) await layDemo(plan.directory);
        const config = environmentOf(plan);
        await createEnvironment(plan.directory, { config, tls, operator: "cli" });
      },
    },
  ];
  return { steps, admin };
}

async function createCa(directory: string): Promise<void> {
  const { createAuthority } = await import("../../ca/authority.ts");
  await createAuthority(directory);
}

async function createOrPingKvdb({ kvdb, paths }: QuickstartPlan, password: string) {
  if ("engine" in kvdb) {
    const { createKvdb } = await import("../../kvdb/create.ts");
    const options = { name: "kvdb", engine: kvdb.engine, host, port: kvdb.port, password };
    return (await createKvdb(paths.kvdb, options)).engine;
  }
  const { openKvdb } = await import("../../kvdb/client.ts");
  const { silentLogger } = await import("../../telemetry/logger.ts");
  const client = openKvdb({ ...kvdb, cluster: "quickstart", logger: silentLogger });
  try {
    await client.ping();
    return `${kvdb.url} answers`;
  } finally {
    await client.close();
  }
}

async function makeServer(
  plan: QuickstartPlan,
  server: PlannedServer,
  kvdbPassword: string,
): Promise<string> {
  const { kvdb, paths, cluster } = plan;
  const access: KvdbAccess = "engine" in kvdb
    ? { url: `redis://${host}:${kvdb.port}/0`, password: kvdbPassword }
    : kvdb;
  await createServer(paths.server(server.name), {
    ...server,
    cluster,
    environment,
    host,
    workers: plan.workers,
    odb: plan.odb,
    kvdb: access,
    agentUrl: urlOf("https", plan.balancer.agentPort),
    clusterKey: (await loadText(paths.clusterKey)).trim(),
    tls: { authority: paths.authority },
  });
  return `port ${server.httpPort}, ${plan.workers} ${plan.workers === 1 ? "worker" : "workers"}`;
}

async function makeConsole(plan: QuickstartPlan, admin: AdminUser): Promise<void> {
  const { adminUrls } = environmentOf(plan);
  await createConsole(plan.paths.webAdmin, {
    name: "web-admin",
    http: { host, port: plan.webAdminPort },
    clusters: [{
      name: plan.cluster,
      environment,
      adminUrls,
      agentUrl: urlOf("https", plan.balancer.agentPort),
    }],
    tls: { authority: plan.paths.authority },
  });
  const { createUser } = await import("../../../web-admin/server/users.ts");
  await createUser(plan.paths.webAdmin, admin);
}
