import type { DeploymentView } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "deployment list",
  summary: "List the deployments of the cluster, newest first",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman deployment list --env ./demo"],
  async run({ env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const deployments = await withAdmin(
      environment,
      (client) => client.get<readonly DeploymentView[]>("/v1/deployments"),
    );
    await printResult(io.stdout, output, {
      value: deployments,
      table: {
        columns: ["file", "current", "hash", "services", "deployed at", "by"],
        rows: deployments.map((row) => [
          row.file,
          row.current ? "yes" : "no",
          row.hash.slice(0, 12),
          row.services.join(", "),
          row.deployedAt,
          row.deployedBy,
        ]),
        empty: "Nothing is deployed yet; deploy a file with dragoman deploy FILE",
      },
    });
  },
});
