import { PlatformError } from "../../../errors/platform-error.ts";
import { poll } from "../../../lib/wait.ts";
import type { AgentClient } from "../../../load-balancer/client.ts";
import { changeOptions, renderChange } from "../../balancer/change.ts";
import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { defineCommand } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "lb drain",
  summary: "Send a server nothing new and let it finish what it has",
  description:
    "It stays so, also when the server or the balancer restarts, until dragoman lb ready. With " +
    "--wait the command ends when the last request has been answered, and fails when some are " +
    "still there after the timeout.",
  arguments: { server: { summary: "The server's name" } },
  options: {
    wait: { type: "flag", summary: "Wait until the server has no sessions left" },
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
  async run({ server, wait, timeout, why, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    await withAgent(environment, async (agent) => {
      const result = await agent.drain(server, { why });
      if (wait) await untilDrained(agent, server, timeout);
      const what = wait ? `${server} is drained: no sessions are left` : `${server} drains`;
      await printResult(io.stdout, output, {
        value: result ?? null,
        table: renderChange(what, result),
      });
    });
  },
});

/** Also requests that a process from before a reload still has may be this server's. */
async function untilDrained(agent: AgentClient, name: string, seconds: number): Promise<void> {
  let left = 0;
  const drained = await poll(async () => {
    const { servers, finishing } = await agent.status();
    const server = servers.find((one) => one.name === name);
    left = (server?.sessionsCurrent ?? 0) + finishing;
    return left === 0 ? true : undefined;
  }, { timeoutMs: seconds * 1_000, intervalMs: 200 });
  if (drained) return;
  throw new PlatformError("CLI_NOT_DRAINED", { server: name, sessions: left, seconds });
}
