import { resolve } from "node:path";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { deployFiles } from "../../cluster/deploy-files.ts";
import { renderDeployResult, requireDeployed } from "../../cluster/deploy-text.ts";
import { loadEnvironment } from "../../cluster/environment.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "deploy",
  summary: "Bring source files of services to every server of the cluster",
  description:
    "Each file is bundled with what it imports. All servers load the bundles before any " +
    "of them takes traffic; when one cannot, nothing changes and the exit code is 1.",
  arguments: { files: { summary: "TypeScript or JavaScript files", variadic: true } },
  options: { env: environmentOption, output: outputOption },
  examples: [
    "dragoman deploy services/hello.ts --env ./demo",
    "dragoman deploy services/*.ts -o json",
  ],
  async run({ files, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const result = await deployFiles(environment, files.map((file) => resolve(io.cwd, file)));
    await printResult(io.stdout, output, { value: result, table: renderDeployResult(result) });
    requireDeployed(result);
  },
});
