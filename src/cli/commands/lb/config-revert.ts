import { changeOptions, runChange } from "../../balancer/change.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  path: "lb config revert",
  summary: "Go back to an earlier configuration of the balancer",
  description:
    "It becomes a new revision. Which servers drain or are in maintenance stays as it is. " +
    "dragoman lb config diff --revision ID shows beforehand what would change.",
  arguments: { revision: { summary: "One of dragoman lb config history; 0: config.yaml" } },
  options: { ...changeOptions },
  examples: ["dragoman lb config revert 3 --env ./demo"],
  async run({ revision, why, force, ...input }, io) {
    await runChange(input, io, {
      what: `The configuration is that of revision ${revision} again`,
      change: (agent) => agent.configuration.revert(revision, { why, force }),
    });
  },
});
