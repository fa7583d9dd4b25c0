import { resolve } from "node:path";
import { defineCommand } from "../../command.ts";
import { loadComponents } from "../../lifecycle/component.ts";
import { stopSet } from "../../lifecycle/component-set.ts";
import { printProgress } from "../../lifecycle/progress.ts";
import { startAll } from "../../quickstart/start-all.ts";

export const command = defineCommand({
  path: "restart",
  summary: "Stop and start a component, or every component of an environment",
  arguments: { directory: { summary: "A component's or an environment's directory" } },
  options: {},
  examples: ["dragoman restart ./demo/server1"],
  async run({ directory }, io) {
    const set = await loadComponents(resolve(io.cwd, directory));
    await stopSet(set, printProgress(io));
    await startAll(set, { progress: printProgress(io), env: io.env });
  },
});
