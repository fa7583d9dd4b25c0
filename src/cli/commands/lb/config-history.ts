import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "lb config history",
  summary: "List every change of the balancer's configuration, newest first",
  description:
    "The first is the one that holds; revision 0 is config.yaml by itself. 7@lb2 is a change " +
    "that lost to another one that was made at the same time through another balancer.",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman lb config history --env ./demo"],
  async run({ env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const heads = await withAgent(environment, (agent) => agent.configuration.history());
    await printResult(io.stdout, output, {
      value: heads,
      table: {
        columns: ["revision", "at", "by", "through", "why"],
        rows: heads.map(({ id, at, by, origin, why }) => [id, at, by, origin, why]),
        empty: "Nothing was changed since config.yaml",
      },
    });
  },
});
