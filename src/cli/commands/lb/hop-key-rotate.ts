import { reasonOf } from "../../../errors/platform-error.ts";
import type { AgentClient } from "../../../load-balancer/client.ts";
import { withEveryAgent } from "../../balancer/every-agent.ts";
import { loadEnvironment } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { exitCodes } from "../../error-text.ts";
import { printResult } from "../../output.ts";

interface Rotation {
  /** The agent's address. */
  readonly url: string;
  readonly rotated: boolean;
  /** Why it was not. */
  readonly reason?: string;
}

export const command = defineCommand({
  path: "lb hop-key rotate",
  summary: "Make a new key with which the balancer proves to servers that it is one",
  description:
    "Every balancer of the environment has a key of its own and makes a new one. It is used once " +
    "the servers have learnt it, some seconds later, and the one before it goes on being valid " +
    "for what is under way. Fails when a balancer cannot be reached; the others have new keys then.",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman lb hop-key rotate --env ./demo"],
  async run({ env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const rotations = await withEveryAgent(
      environment,
      (agents) => Promise.all(agents.map(rotate)),
    );
    await printResult(io.stdout, output, {
      value: rotations,
      table: rotations.map(render).join("\n"),
    });
    return rotations.every(({ rotated }) => rotated) ? exitCodes.ok : exitCodes.failed;
  },
});

async function rotate(agent: AgentClient): Promise<Rotation> {
  const { url } = agent;
  try {
    await agent.rotateHopKey();
    return { url, rotated: true };
  } catch (error) {
    return { url, rotated: false, reason: reasonOf(error) };
  }
}

function render({ url, reason }: Rotation): string {
  return reason === undefined
    ? `${url} has a new key, used once the servers know it`
    : `${url} keeps its key: ${reason}`;
}
