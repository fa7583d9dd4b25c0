import { PlatformError, reasonOf } from "../../../errors/platform-error.ts";
import { poll } from "../../../lib/wait.ts";
import type { AgentClient } from "../../../load-balancer/client.ts";
import { changeOptions, renderChange } from "../../balancer/change.ts";
import { withEveryAgent } from "../../balancer/every-agent.ts";
import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { defineCommand } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "lb drain",
  summary: "Send a server nothing new and let it finish what it has",
  description:
    "It stays so, also when the server or the balancer restarts, until dragoman lb ready. With " +
    "--wait the command asks every balancer of the environment, ends when the last request has " +
    "been answered at each, and fails when some are still there after the timeout, or when a " +
    "balancer does not answer.",
  arguments: { server: { summary: "The server's name" } },
  options: {
    wait: { type: "flag", summary: "Wait until the server has no sessions left at any balancer" },
    timeout: {
      type: "integer",
      min: 1,
      max: 86_400,
      default: 60,
      value: "SECONDS",
      summary: "With --wait: for how long",
    },
    ...changeOptions,
  },
  examples: [
    "dragoman lb drain server1 --wait --env ./demo",
    "dragoman lb drain server1 --why 'new disk'",
  ],
  async run({ server, wait, timeout, why, force, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const result = await withAgent(environment, (agent) => agent.drain(server, { why, force }));
    if (wait) await withEveryAgent(environment, (agents) => untilDrained(agents, server, timeout));
    const what = wait ? `${server} is drained: no sessions are left` : `${server} drains`;
    await printResult(io.stdout, output, {
      value: result ?? null,
      table: renderChange(what, result),
    });
  },
});

/** Throws CLI_NOT_DRAINED with what is missing at each balancer. */
async function untilDrained(
  agents: readonly AgentClient[],
  server: string,
  seconds: number,
): Promise<void> {
  let missing: readonly string[] = [];
  const drained = await poll(async () => {
    const answers = await Promise.all(agents.map((agent) => missingAt(agent, server)));
    missing = answers.filter((answer) => answer !== undefined);
    return missing.length === 0 ? true : undefined;
  }, { timeoutMs: seconds * 1_000, intervalMs: 200 });
  if (drained) return;
  throw new PlatformError("CLI_NOT_DRAINED", { server, seconds, reason: missing.join("; ") });
}

/** Undefined: nothing; a balancer that does not have the server sends it nothing either. */
async function missingAt(agent: AgentClient, name: string): Promise<string | undefined> {
  try {
    const { servers, finishing } = await agent.status();
    const server = servers.find((one) => one.name === name);
    if (server !== undefined && server.wanted !== "drain") {
      return `${agent.url} has it as ${server.wanted}`;
    }
    // Also requests that a process from before a reload still has may be this server's.
    const left = (server?.sessionsCurrent ?? 0) + finishing;
    return left === 0 ? undefined : `${agent.url} has ${left} of its sessions`;
  } catch (error) {
    return `${agent.url} does not say: ${reasonOf(error)}`;
  }
}
