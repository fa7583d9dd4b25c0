import { changeOptions, runChange } from "../../balancer/change.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  path: "lb algorithm",
  summary: "Choose how the balancer chooses a server for a request",
  description:
    "random: the least busy of four that are drawn by weight; roundrobin: by turns; leastconn: the one with the fewest sessions; hash:source, hash:uri and hash:header:NAME: always the same one for the same client address, path or header.",
  arguments: {
    algorithm: {
      summary: "random, roundrobin, leastconn, hash:source, hash:uri or hash:header:NAME",
    },
  },
  options: { ...changeOptions },
  examples: ["dragoman lb algorithm leastconn --env ./demo"],
  async run({ algorithm, why, force, ...input }, io) {
    await runChange(input, io, {
      what: `Servers are chosen by ${algorithm}`,
      change: (agent) => agent.setAlgorithm(algorithm, { why, force }),
    });
  },
});
