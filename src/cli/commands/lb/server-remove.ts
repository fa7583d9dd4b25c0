import { runChange } from "../../balancer/change.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";

export const command = defineCommand({
  path: "lb server remove",
  summary: "Take a server out of the balancer for good",
  description:
    "Requests that it has are finished. A server of the platform that still runs registers again " +
    "within seconds: stop it first, or use dragoman lb maintenance.",
  arguments: { server: { summary: "The server's name" } },
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman lb server remove legacy --env ./demo"],
  async run({ server, ...input }, io) {
    await runChange(input, io, {
      what: `${server} is out of the balancer`,
      change: (agent) => agent.removeServer(server),
    });
  },
});
