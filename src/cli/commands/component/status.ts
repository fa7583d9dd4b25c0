import { resolve } from "node:path";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment } from "../../cluster/environment.ts";
import { loadComponents } from "../../lifecycle/component.ts";
import { setStatus } from "../../lifecycle/state.ts";
import { statusTable } from "../../lifecycle/status-table.ts";
import { printResult } from "../../output.ts";
import { clusterSummary, summaryTable } from "../../cluster/summary.ts";

export const command = defineCommand({
  path: "status",
  summary: "Show the state of a component's or an environment's processes, or of a whole cluster",
  description: "With a directory: the processes of this machine. Without one: what the cluster's " +
    "servers, ODB, KVDB and balancer say of themselves, asked over the network.",
  arguments: {
    directory: { summary: "A component's or an environment's directory", optional: true },
  },
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman status ./demo", "dragoman status --env ./demo -o json"],
  async run({ directory, env, output }, io) {
    if (directory !== undefined) {
      const status = await setStatus(await loadComponents(resolve(io.cwd, directory)));
      return await printResult(io.stdout, output, { value: status, table: statusTable(status) });
    }
    const summary = await clusterSummary(await loadEnvironment({ env }, io));
    await printResult(io.stdout, output, { value: summary, table: summaryTable(summary) });
  },
});
