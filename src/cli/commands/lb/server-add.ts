import { changeOptions, runChange } from "../../balancer/change.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  path: "lb server add",
  summary: "Add a server that does not register by itself",
  description:
    "Servers of the platform register with the balancer when they start; this is for others. The " +
    "server must answer GET /dragoman/readyz with 200 while it wants requests. It is trusted as a " +
    "balancer is: each request shows it the key with which it could speak for any client. After " +
    "removing it, make a new one with dragoman lb hop-key rotate.",
  arguments: {
    server: { summary: "A name for it" },
    address: { summary: "Where it listens, as host:port" },
  },
  options: { ...changeOptions },
  examples: ["dragoman lb server add legacy 10.0.0.9:8080 --env ./demo"],
  async run({ server, address, why, force, ...input }, io) {
    await runChange(input, io, {
      what: `${server} at ${address} is in the balancer`,
      change: (agent) => agent.addServer(server, address, { why, force }),
    });
  },
});
