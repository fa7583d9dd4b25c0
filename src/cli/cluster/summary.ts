import type { ServerList } from "../../admin-api/api.ts";
import { PlatformError, reasonOf } from "../../errors/platform-error.ts";
import type { BalancerStatus } from "../../load-balancer/api.ts";
import { askWithOdb } from "./ask-with-odb.ts";
import { askServers, type Environment, withAgent } from "./environment.ts";
import { renderFields, renderTable } from "../output.ts";
import { isHealthy, type ServerSummary, serverTable, summariseServer } from "./server-summary.ts";

/** What an ODB that hangs may cost a look at the cluster. */
const patienceMs = 5_000;

/** What `status` prints of a whole cluster. */
export interface ClusterSummary {
  readonly cluster: string;
  /** `degraded`: something is down or failed, though requests are answered. */
  readonly state: "up" | "degraded";
  readonly revision: number;
  readonly servers: readonly ServerSummary[];
  readonly balancer: BalancerStatus | { readonly error: string } | null;
}

/** Asks all servers and the balancer. Throws CLI_NO_SERVER when not one server answers. */
export async function clusterSummary(environment: Environment): Promise<ClusterSummary> {
  const [named, registered, balancer] = await Promise.all([
    askServers(environment),
    askRegistered(environment),
    askBalancer(environment),
  ]);
  const answers = [...named, ...await askOthers(environment, named, registered)];
  const live = answers.map(({ status }) => status).filter((status) => typeof status !== "string");
  if (live.length === 0) {
    const { cluster, directory } = environment;
    const reasons = answers.map(({ url, status }) => `${url}: ${String(status)}`);
    throw new PlatformError("CLI_NO_SERVER", { cluster, directory, reason: reasons.join("; ") });
  }
  const servers = answers.map(({ url, status }) => summariseServer(url, status, registered));
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
  const table = renderTable(serverTable(summary.servers), { colour: false }).trimEnd();
  const lines = summary.servers.flatMap(alarmsOf).map((text) => `Alarm: ${text}`);
  return [renderFields(fields), "", table, ...lines].join("\n");
}

function alarmsOf(server: ServerSummary): readonly string[] {
  if ("error" in server) return [];
  const { name, alarms, disk } = server;
  const jobs = alarms.map(({ job, reason }) => `job ${job} will never run: ${reason}`);
  if (disk.state === "up") return jobs;
  const reason = disk.reason ?? "unknown";
  return [...jobs, `${name} cannot write to its disk since ${disk.since}: ${reason}`];
}

async function askBalancer(environment: Environment): Promise<ClusterSummary["balancer"]> {
  if (environment.agentUrl === undefined) return null;
  try {
    return await withAgent(environment, (client) => client.status());
  } catch (error) {
    return { error: reasonOf(error) };
  }
}

/** Servers that have joined since the environment was made. */
async function askOthers(
  environment: Environment,
  named: Answers,
  registered: ServerList["servers"],
): Promise<Answers> {
  const names = named.map(({ status }) => typeof status === "string" ? undefined : status.name);
  const others = registered.filter(({ name, state, adminUrl }) =>
    state !== "down" && !names.includes(name) && !environment.adminUrls.includes(adminUrl)
  );
  const adminUrls = others.map(({ adminUrl }) => adminUrl);
  return await askServers({ ...environment, adminUrls });
}

type Answers = Awaited<ReturnType<typeof askServers>>;

/** The servers as the ODB knows them; empty when it cannot be asked, which each of them says. */
async function askRegistered(environment: Environment): Promise<ServerList["servers"]> {
  try {
    const list = await askWithOdb(
      environment,
      (client) => client.get<ServerList>("/v1/servers", { timeoutMs: patienceMs }),
    );
    return list.servers;
  } catch {
    return [];
  }
}

function describeBalancer(balancer: ClusterSummary["balancer"]): string {
  if (balancer === null) return "none";
  if ("error" in balancer) return `unreachable: ${balancer.error}`;
  const up = balancer.servers.filter(({ state }) => state === "up").length;
  return `${balancer.url} (${balancer.engine} ${balancer.engineVersion}), ` +
    `${up} of ${balancer.servers.length} servers up`;
}
