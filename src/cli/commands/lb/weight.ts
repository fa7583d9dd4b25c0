import { changeOptions, runChange } from "../../balancer/change.ts";
import { defineCommand } from "../../command.ts";
import { PlatformError } from "../../../errors/platform-error.ts";

const path = "lb weight";

export const command = defineCommand({
  path,
  summary: "Give a server a larger or smaller share of the requests",
  description:
    "Servers have weight 100 unless told otherwise: one with 50 gets half as many requests as " +
    "one with 100, one with 0 gets none.",
  arguments: {
    server: { summary: "The server's name" },
    weight: { summary: "0 to 256" },
  },
  options: { ...changeOptions },
  examples: ["dragoman lb weight server1 50 --env ./demo"],
  async run({ server, weight, why, force, ...input }, io) {
    if (!/^\d{1,3}$/.test(weight)) {
      const reason = `"${weight}" is not a weight, which is a number from 0 to 256`;
      throw new PlatformError("CLI_USAGE", { reason, command: path });
    }
    await runChange(input, io, {
      what: `${server} has weight ${Number(weight)}`,
      change: (agent) => agent.setWeight(server, Number(weight), { why, force }),
    });
  },
});
