import type { DeployResult, RollbackRequest } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { renderDeployResult, requireDeployed } from "../../cluster/deploy-text.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "deployment rollback",
  summary: "Point a file at an earlier version of its code",
  description:
    "Without --to, the last version that differs from the current one; doing it twice goes " +
    "back and forth. All servers load the version before any of them takes traffic. A file " +
    "that was deleted comes back.",
  arguments: { file: { summary: "The file's name, such as hello.ts" } },
  options: {
    to: {
      type: "text",
      value: "HASH",
      summary: "The version: a hash of deployment show, or its first digits",
    },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman deployment rollback hello.ts --env ./demo",
    "dragoman deployment rollback hello.ts --to 1c5a40e2",
  ],
  async run({ file, to, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/deployments/${encodeURIComponent(file)}/rollback`;
    const body: RollbackRequest = to === undefined ? {} : { to: to.toLowerCase() };
    const result = await withAdmin(
      environment,
      (client) => client.post<DeployResult>(path, body),
    );
    await printResult(io.stdout, output, { value: result, table: renderDeployResult(result) });
    requireDeployed(result);
  },
});
