import { defineCommand } from "../../command.ts";
import { stopSet } from "../../lifecycle/component-set.ts";
import { printProgress } from "../../lifecycle/progress.ts";
import { environmentArgument, loadOwnEnvironment } from "../../quickstart/environment-command.ts";

export const command = defineCommand({
  path: "quickstart stop",
  summary: "Stop an environment; requests in flight are finished first",
  arguments: { directory: environmentArgument },
  options: {},
  examples: ["dragoman quickstart stop ./demo"],
  async run({ directory }, io) {
    await stopSet(await loadOwnEnvironment(directory, io), printProgress(io));
  },
});
