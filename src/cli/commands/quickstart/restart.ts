import { defineCommand } from "../../command.ts";
import { stopSet } from "../../lifecycle/component-set.ts";
import { printProgress } from "../../lifecycle/progress.ts";
import { environmentArgument, loadOwnEnvironment } from "../../quickstart/environment-command.ts";
import { startAll } from "../../quickstart/start-all.ts";

export const command = defineCommand({
  path: "quickstart restart",
  summary: "Stop and start an environment",
  arguments: { directory: environmentArgument },
  options: {},
  examples: ["dragoman quickstart restart ./demo"],
  async run({ directory }, io) {
    const set = await loadOwnEnvironment(directory, io);
    await stopSet(set, printProgress(io));
    await startAll(set, { progress: printProgress(io), env: io.env });
  },
});
