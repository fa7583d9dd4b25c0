import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerList, ServerStatus } from "../../../src/admin-api/api.ts";
import { createAuthority, installTls, issueCertificate } from "../../../src/ca/index.ts";
import { findFreePort } from "../../../src/lib/ports.ts";
import type { BalancerStatus } from "../../../src/load-balancer/api.ts";
import type { Role, TlsMaterial } from "../../../src/mtls/identity.ts";
import { type JsonServer, startJsonServer } from "../../../src/mtls/server.ts";
import { readFile } from "node:fs/promises";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { createWebAdmin } from "../../../web-admin/server/create.ts";
import {
  sampleBalanced,
  sampleBalancer,
  sampleRegistered,
  sampleStatus,
} from "../../../web-admin/server/overview/sample-readings.ts";

/** Two servers and a balancer's agent that speak real mutual TLS and say what the test wants. */
export interface CannedCluster {
  /** A web admin's directory that has its certificate and no user. */
  readonly webAdmin: string;
  readonly webAdminUrl: string;
  readonly statuses: Record<"server1" | "server2", ServerStatus>;
  balancer: BalancerStatus;
  stopServer(name: "server1" | "server2"): Promise<void>;
  stop(): Promise<void>;
}

const cluster = "demo";
const host = "127.0.0.1";

/** Starts them under a certificate authority of their own. */
export async function startCannedCluster(): Promise<CannedCluster> {
  const root = await mkdtemp(join(tmpdir(), "canned-cluster-"));
  const authority = join(root, "ca");
  await createAuthority(authority);
  const issue = (role: Role, name: string) =>
    issueCertificate(authority, { identity: { cluster, role, name }, hosts: [host] });
  const tlsOf = async (role: Role, name: string): Promise<TlsMaterial> => {
    const { certPath, keyPath, caPath } = await issue(role, name);
    const [cert, key, ca] = await Promise.all(
      [certPath, keyPath, caPath].map((path) => readFile(path, "utf8")),
    );
    return { cert: cert!, key: key!, ca: ca! }; // three paths, three texts
  };

  const names = ["server1", "server2"] as const;
  const [port1, port2, agentPort, webPort] = await freePorts(4);
  const ports = { server1: port1!, server2: port2! };
  const adminUrls = names.map((name) => `https://${host}:${ports[name]}`);
  const statuses = {
    server1: sampleStatus("server1", { adminUrl: adminUrls[0]! }),
    server2: sampleStatus("server2", { adminUrl: adminUrls[1]! }),
  };
  const list = (): ServerList => ({
    cluster,
    revision: 7,
    servers: names.map((name) => sampleRegistered(name, { adminUrl: statuses[name].adminUrl })),
  });

  const listen = async (role: Role, name: string, { port, answers }: {
    readonly port: number;
    readonly answers: Readonly<Record<string, () => unknown>>;
  }): Promise<JsonServer> =>
    startJsonServer({
      host,
      port,
      cluster,
      tls: await tlsOf(role, name),
      logger: silentLogger,
      routes: Object.entries(answers).map(([path, handle]) => ({
        method: "GET",
        path,
        roles: ["web-admin"],
        handle,
      })),
    });

  const servers = new Map<string, JsonServer>();
  for (const name of names) {
    const answers = { "/v1/status": () => statuses[name], "/v1/servers": list };
    servers.set(name, await listen("server", name, { port: ports[name], answers }));
  }
  const webAdmin = join(root, "web-admin");
  const agentUrl = `https://${host}:${agentPort}`;
  await createWebAdmin(webAdmin, {
    name: "web-admin",
    http: { port: webPort! },
    clusters: [{ name: cluster, environment: "development", adminUrls: [adminUrls[0]!], agentUrl }],
  });
  await installTls(await issue("web-admin", "web-admin"), webAdmin);

  const canned: CannedCluster = {
    webAdmin,
    webAdminUrl: `http://${host}:${webPort}`,
    statuses,
    balancer: sampleBalancer(names.map((name) => sampleBalanced(name)), { agentUrl }),
    async stopServer(name) {
      await servers.get(name)?.close();
    },
    async stop() {
      await Promise.all([...servers.values()].map((server) => server.close()));
      await rm(root, { recursive: true, force: true });
    },
  };
  const answers = { "/v1/status": () => canned.balancer };
  servers.set("agent", await listen("load-balancer", "balancer", { port: agentPort!, answers }));
  return canned;
}

/** Different ones: each is found while those before it are known. */
async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await findFreePort());
  return [...ports];
}
