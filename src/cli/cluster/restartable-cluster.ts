import type { RestartAnswer, ServerList, ServerStatus } from "../../admin-api/api.ts";
import { PeerClients } from "../../admin-api/peer-clients.ts";
import { reasonOf } from "../../errors/platform-error.ts";
import { type AgentClient, createAgentClient } from "../../load-balancer/client.ts";
import { loadTls } from "../../mtls/tls-material.ts";
import { type Environment, withAdmin } from "./environment.ts";
import type { BalancerLook, RestartableCluster } from "./rolling-restart.ts";

const timeoutMs = 3_000;

/**
 * Lends `use` the servers that the ODB knows, wherever they are, and the balancers in front of
 * them. Throws CLI_NO_SERVER.
 */
export async function withRestartableCluster<T>(
  environment: Environment,
  use: (cluster: RestartableCluster) => Promise<T>,
): Promise<T> {
  const { cluster, agentUrls } = environment;
  const list = await withAdmin(environment, (client) => client.get<ServerList>("/v1/servers"));
  const adminUrls = new Map(
    list.servers.filter(({ state }) => state !== "down").map((row) => [row.name, row.adminUrl]),
  );
  const tls = await loadTls(environment.directory);
  const servers = new PeerClients(tls, cluster);
  const agents = agentUrls.map((url) => createAgentClient({ url, tls, cluster }));
  try {
    return await use({
      async look() {
        const answers = await Promise.all([...adminUrls].map(async ([name, url]) => {
          const asking = servers.get(url).get<ServerStatus>("/v1/status", { timeoutMs });
          return [name, await asking.catch(reasonOf)] as const;
        }));
        return { servers: new Map(answers), balancer: await lookAtBalancers(agents) };
      },
      async restart(name) {
        const client = servers.get(adminUrls.get(name)!); // only names that `look` gave are asked for
        return (await client.post<RestartAnswer>("/v1/restart", {})).incarnation;
      },
    });
  } finally {
    servers.close();
    for (const agent of agents) agent.close();
  }
}

/** A server gets traffic when every balancer that answers sends it some: none at weight 0. */
async function lookAtBalancers(
  agents: readonly AgentClient[],
): Promise<BalancerLook | undefined> {
  if (agents.length === 0) return undefined;
  const asked = await Promise.all(agents.map((agent) => agent.status().catch(() => undefined)));
  const statuses = asked.filter((status) => status !== undefined);
  const ups = statuses.map(({ servers }) => {
    const fed = servers.filter(({ state, weight }) => state === "up" && weight > 0);
    return new Set(fed.map(({ name }) => name));
  });
  const [first = new Set<string>(), ...others] = ups;
  return {
    up: new Set([...first].filter((name) => others.every((up) => up.has(name)))),
    counters: statuses.flatMap((status) =>
      status.servers.map(({ name, errorsTotal }) => ({
        source: `${status.name}/${status.pid}/${name}`,
        requests: 0,
        errors: errorsTotal,
      }))
    ),
  };
}
