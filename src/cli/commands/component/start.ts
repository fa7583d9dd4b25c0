import { resolve } from "node:path";
import { PlatformError } from "../../../errors/platform-error.ts";
import { defineCommand } from "../../command.ts";
import { loadComponents } from "../../lifecycle/component.ts";
import { runForeground } from "../../lifecycle/foreground.ts";
import { printProgress } from "../../lifecycle/progress.ts";
import { startAll } from "../../quickstart/start-all.ts";

export const command = defineCommand({
  path: "start",
  summary: "Start a component, or every component of an environment",
  description: "Returns when each of them really answers. What runs already is left alone. " +
    "When one fails, those that were started with it are stopped again.",
  arguments: { directory: { summary: "A component's or an environment's directory" } },
  options: {
    foreground: {
      type: "flag",
      summary: "Run the component in this process and log to standard output, until SIGTERM",
    },
  },
  examples: ["dragoman start ./demo", "dragoman start ./demo/server1 --foreground"],
  async run({ directory, foreground }, io) {
    const set = await loadComponents(resolve(io.cwd, directory));
    if (!foreground) return await startAll(set, { progress: printProgress(io), env: io.env });
    const [component] = set.components;
    if (component === undefined || set.environment !== undefined) {
      throw new PlatformError("CLI_NOT_RUNNABLE", { directory: set.root, found: "environment" }, {
        advice: "Start its components one by one, or leave out --foreground",
      });
    }
    return await runForeground(component, io);
  },
});
