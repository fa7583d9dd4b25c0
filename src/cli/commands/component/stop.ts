import { resolve } from "node:path";
import { defineCommand } from "../../command.ts";
import { loadComponents } from "../../lifecycle/component.ts";
import { stopSet } from "../../lifecycle/component-set.ts";
import { printProgress } from "../../lifecycle/progress.ts";

export const command = defineCommand({
  path: "stop",
  summary: "Stop a component, or every component of an environment",
  description: "Requests in flight are finished first. One that does not end in time is killed, " +
    "with a warning. What does not run is left alone.",
  arguments: { directory: { summary: "A component's or an environment's directory" } },
  options: {},
  examples: ["dragoman stop ./demo", "dragoman stop ./demo/server1"],
  async run({ directory }, io) {
    await stopSet(await loadComponents(resolve(io.cwd, directory)), printProgress(io));
  },
});
