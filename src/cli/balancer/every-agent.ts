import { PlatformError } from "../../errors/platform-error.ts";
import type { AgentClient } from "../../load-balancer/client.ts";
import type { Environment } from "../cluster/environment.ts";

/**
 * Lends `use` a client of each balancer's agent, of those that are away, too, and closes them.
 * Throws CLI_NO_BALANCER where there is none.
 */
export async function withEveryAgent<T>(
  { directory, cluster, agentUrls }: Environment,
  use: (agents: readonly AgentClient[]) => Promise<T>,
): Promise<T> {
  if (agentUrls.length === 0) throw new PlatformError("CLI_NO_BALANCER", { directory });
  const { createAgentClient } = await import("../../load-balancer/client.ts");
  const { loadTls } = await import("../../mtls/tls-material.ts");
  const tls = await loadTls(directory);
  const agents = agentUrls.map((url) => createAgentClient({ url, tls, cluster }));
  try {
    return await use(agents);
  } finally {
    for (const agent of agents) agent.close();
  }
}
