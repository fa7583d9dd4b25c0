import { changeOptions, runChange } from "../../balancer/change.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  path: "lb maintenance",
  summary: "Send a server nothing at all and stop looking at its health",
  description:
    "Requests that it has are finished. It stays so, also when the server registers anew or the balancer restarts, until dragoman lb ready.",
  arguments: { server: { summary: "The server's name" } },
  options: { ...changeOptions },
  examples: ["dragoman lb maintenance server1 --why 'new disk' --env ./demo"],
  async run({ server, why, force, ...input }, io) {
    await runChange(input, io, {
      what: `${server} is in maintenance`,
      change: (agent) => agent.maintenance(server, { why, force }),
    });
  },
});
