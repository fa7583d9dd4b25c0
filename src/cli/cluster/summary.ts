import type { DependencyStatus, ServerStatus } from "../../admin-api/api.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { BalancerStatus } from "../../load-balancer/api.ts";
import { askServers, type Environment, withAgent } from "./environment.ts";
import { renderFields, renderTable } from "../output.ts";

/** What `status` prints of a whole cluster. */
export interface ClusterSummary {
  readonly cluster: string;
  /** `degraded`: something is down or failed, though requests are answered. */
  readonly state: "up" | "degraded";
  readonly revision: number;
  readonly servers: readonly ServerSummary[];
  readonly balancer: BalancerStatus | { readonly error: string } | null;
}

type ServerSummary =
  | (Pick<ServerStatus, "name" | "state" | "url" | "adminUrl" | "revision" | "startedAt"> & {
    readonly workers: ServerStatus["workers"];
    readonly failures: ServerStatus["failures"];
    readonly odb: DependencyStatus;
    readonly kvdb: DependencyStatus;
  })
  | { readonly adminUrl: string; readonly state: "unreachable"; readonly error: string };

/** Asks all servers and the balancer. Throws CLI_NO_SERVER when not one server answers. */
export async function clusterSummary(environment: Environment): Promise<ClusterSummary> {
  const [answers, balancer] = await Promise.all([
    askServers(environment),
    askBalancer(environment),
  ]);
  const live = answers.map(({ status }) => status).filter((status) => typeof status !== "string");
  if (live.length === 0) {
    const { cluster, directory } = environment;
    const reasons = answers.map(({ url, status }) => `${url}: ${String(status)}`);
    throw new PlatformError("CLI_NO_SERVER", { cluster, directory, reason: reasons.join("; ") });
  }
  const servers = answers.map(({ url, status }) => summarise(url, status));
  const healthy = servers.every(isHealthy) && (balancer === null || !("error" in balancer));
  return {
    cluster: environment.cluster,
    state: healthy ? "up" : "degraded",
    revision: Math.max(...live.map((status) => status.clusterRevision)),
    servers,
    balancer,
  };
}

/** The summary for people. */
export function summaryTable(summary: ClusterSummary): string {
  const { cluster, state, revision, balancer } = summary;
  const fields: [string, string | number][] = [
    ["Cluster", cluster],
    ["State", state],
    ["Revision", revision],
    ["Balancer", describeBalancer(balancer)],
  ];
  const rows = summary.servers.map((server) =>
    "error" in server
      ? ["-", `unreachable: ${server.error}`, server.adminUrl, "-", "-", "-", "-", "-"]
      : [
        server.name,
        server.state,
        server.url,
        server.workers.length,
        server.revision,
        describeDependency(server.odb),
        describeDependency(server.kvdb),
        server.failures.length,
      ]
  );
  const columns = ["server", "state", "url", "workers", "revision", "odb", "kvdb", "failures"];
  const table = renderTable({ columns, rows }, { colour: false }).trimEnd();
  return `${renderFields(fields)}\n\n${table}`;
}

async function askBalancer(environment: Environment): Promise<ClusterSummary["balancer"]> {
  if (environment.agentUrl === undefined) return null;
  try {
    return await withAgent(environment, (client) => client.status());
  } catch (error) {
    return { error: reasonOf(error) };
  }
}

function summarise(adminUrl: string, status: ServerStatus | string): ServerSummary {
  if (typeof status === "string") return { adminUrl, state: "unreachable", error: status };
  const { name, state, url, revision, startedAt, workers, failures, odb, kvdb } = status;
  return {
    name,
    state,
    url,
    adminUrl,
    revision,
    startedAt,
    workers,
    failures,
    odb,
    kvdb,
  };
}

function isHealthy(server: ServerSummary): boolean {
  if ("error" in server) return false;
  const fine = server.odb.state !== "down" && server.kvdb.state !== "down";
  return server.state === "up" && server.failures.length === 0 && fine;
}

function describeDependency({ engine, state, reason }: DependencyStatus): string {
  if (state === "none") return "none";
  return state === "up" ? `${engine} up` : `${engine} down: ${reason ?? "unknown"}`;
}

function describeBalancer(balancer: ClusterSummary["balancer"]): string {
  if (balancer === null) return "none";
  if ("error" in balancer) return `unreachable: ${balancer.error}`;
  const up = balancer.servers.filter(({ state }) => state === "up").length;
  return `${balancer.url} (${balancer.engine} ${balancer.engineVersion}), ` +
    `${up} of ${balancer.servers.length} servers up`;
}
