import type { UndeployResult } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption, yesOption } from "../../command.ts";
import { confirm } from "../../confirm.ts";
import { renderOutcomes } from "../../cluster/deploy-text.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "deployment delete",
  summary: "Take a file and its services away from every server",
  description:
    "A file whose services are used by channels or other objects is not deleted; the error " +
    "lists them. The versions are kept: deployment rollback brings the file back.",
  arguments: { file: { summary: "The file's name, such as hello.ts" } },
  options: { yes: yesOption, env: environmentOption, output: outputOption },
  examples: ["dragoman deployment delete hello.ts --env ./demo"],
  async run({ file, yes, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    await confirm(io, { what: `Delete the deployment of "${file}"`, answer: file, yes });
    const path = `/v1/deployments/${encodeURIComponent(file)}`;
    const result = await withAdmin(environment, (client) => client.delete<UndeployResult>(path));
    const table = `Deleted ${file}, cluster revision ${result.revision}\n\n${
      renderOutcomes(result.servers)
    }`;
    await printResult(io.stdout, output, { value: result, table: table.trimEnd() });
  },
});
