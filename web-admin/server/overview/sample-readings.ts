import type { RegisteredServer, ServerStatus, WorkerStatus } from "../../../src/admin-api/api.ts";
import type { BalancedServer, BalancerStatus } from "../../../src/load-balancer/api.ts";
import type { ClusterReadings, ServerReading } from "./readings.ts";

/** Readings of an imaginary cluster, for tests. */

export const startedAt = "2026-03-01T10:00:00.000Z";
export const at = "2026-03-01T12:00:00.000Z";

export function sampleWorker(change: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    id: 0,
    pid: 100,
    state: "up",
    startedAt,
    restarts: 0,
    revision: 7,
    stateHash: "aa",
    parts: { objects: "aa", deployments: "bb", secrets: "cc" },
    bundles: [],
    requestsTotal: 50,
    errorsTotal: 1,
    refusedTotal: 1,
    inFlight: 2,
    memoryBytes: 90_000_000,
    eventLoopDelayMs: 3,
    ...change,
  };
}

export function sampleStatus(name: string, change: Partial<ServerStatus> = {}): ServerStatus {
  return {
    name,
    cluster: "demo",
    environment: "development",
    version: "0.1.0",
    incarnation: `${name}-1`,
    pid: 99,
    hostname: "host",
    state: "up",
    startedAt,
    url: "http://127.0.0.1:17010",
    adminUrl: adminUrlOf(name),
    revision: 7,
    clusterRevision: 7,
    stateHash: "aa",
    wantedHash: "aa",
    certificates: [],
    workers: [sampleWorker()],
    failures: [],
    leases: [],
    alarms: [],
    odb: { state: "up", engine: "sqlite", address: "odb.db", since: startedAt },
    kvdb: { state: "up", engine: "redis", address: "127.0.0.1:6379", since: startedAt },
    disk: { state: "up", since: startedAt },
    ...change,
  };
}

export function sampleServer(name: string, change: Partial<ServerStatus> = {}): ServerReading {
  return { name, adminUrl: adminUrlOf(name), status: sampleStatus(name, change) };
}

export function sampleRegistered(
  name: string,
  change: Partial<RegisteredServer> = {},
): RegisteredServer {
  return {
    name,
    state: "up",
    url: "http://127.0.0.1:17010",
    adminUrl: adminUrlOf(name),
    version: "0.1.0",
    incarnation: `${name}-1`,
    startedAt,
    lastSeenAt: "2026-03-01T11:58:00.000Z",
    revision: 7,
    stateHash: "aa",
    ...change,
  };
}

export function sampleBalanced(
  name: string,
  change: Partial<BalancedServer> = {},
): BalancedServer {
  return {
    name,
    address: "127.0.0.1:17010",
    state: "up",
    since: startedAt,
    reason: "200 from /readyz",
    weight: 100,
    sessionsCurrent: 1,
    sessionsMax: 4,
    requestsTotal: 10,
    requestRate: 0,
    errorsTotal: 0,
    wanted: "ready",
    weightWanted: 100,
    registered: true,
    ...change,
  };
}

export function sampleBalancer(
  servers: readonly BalancedServer[],
  change: Partial<BalancerStatus> = {},
): BalancerStatus {
  return {
    name: "balancer",
    cluster: "demo",
    version: "0.1.0",
    engine: "haproxy",
    engineVersion: "2.6.12",
    pid: 50,
    startedAt,
    url: "http://127.0.0.1:11223",
    agentUrl,
    requestsTotal: 100,
    sessionsCurrent: 3,
    finishing: 0,
    revision: 0,
    algorithm: "roundrobin",
    peers: [],
    servers,
    ...change,
  };
}

/** Two servers behind a balancer, and nothing wrong. */
export function sampleReadings(change: Partial<ClusterReadings> = {}): ClusterReadings {
  const status = sampleBalancer([sampleBalanced("server1"), sampleBalanced("server2")]);
  return {
    at,
    revision: 7,
    servers: [sampleServer("server1"), sampleServer("server2")],
    balancer: { agentUrl, status },
    ...change,
  };
}

export const agentUrl = "https://127.0.0.1:20151";

export function adminUrlOf(name: string): string {
  return `https://127.0.0.1:1711${name.at(-1)}`;
}
