import { changeOptions, runChange } from "../../balancer/change.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  path: "lb ready",
  summary: "Give a server requests again after drain or maintenance",
  description:
    "The balancer looks at its health first, so it may take a moment until requests come.",
  arguments: { server: { summary: "The server's name" } },
  options: { ...changeOptions },
  examples: ["dragoman lb ready server1 --env ./demo"],
  async run({ server, why, force, ...input }, io) {
    await runChange(input, io, {
      what: `${server} is ready`,
      change: (agent) => agent.ready(server, { why, force }),
    });
  },
});
