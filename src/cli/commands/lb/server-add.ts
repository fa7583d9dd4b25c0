import { changeOptions, runChange } from "../../balancer/change.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  path: "lb server add",
  summary: "Add a server that does not register by itself",
  description:
    "Servers of the platform register with the balancer when they start; this is for others. The server must answer GET /dragoman/readyz with 200 while it wants requests.",
  arguments: {
    server: { summary: "A name for it" },
    address: { summary: "Where it listens, as host:port" },
  },
  options: { ...changeOptions },
  examples: ["dragoman lb server add legacy 10.0.0.9:8080 --env ./demo"],
  async run({ server, address, why, ...input }, io) {
    await runChange(input, io, {
      what: `${server} at ${address} is in the balancer`,
      change: (agent) => agent.addServer(server, address, { why }),
    });
  },
});
