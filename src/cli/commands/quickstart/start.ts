import { defineCommand } from "../../command.ts";
import { printProgress } from "../../lifecycle/progress.ts";
import { environmentArgument, loadOwnEnvironment } from "../../quickstart/environment-command.ts";
import { startAll } from "../../quickstart/start-all.ts";

export const command = defineCommand({
  path: "quickstart start",
  summary: "Start an environment and wait until everything in it answers",
  description: "What runs already is left alone. When anything fails, what was started is stopped.",
  arguments: { directory: environmentArgument },
  options: {},
  examples: ["dragoman quickstart start ./demo"],
  async run({ directory }, io) {
    const set = await loadOwnEnvironment(directory, io);
    await startAll(set, { progress: printProgress(io), env: io.env });
  },
});
