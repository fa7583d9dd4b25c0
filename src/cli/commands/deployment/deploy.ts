import { resolve } from "node:path";
import type { DeployResult } from "../../../admin-api/api.ts";
import { PlatformError } from "../../../errors/platform-error.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { deployFiles } from "../../cluster/deploy-files.ts";
import { loadEnvironment } from "../../cluster/environment.ts";
import { printResult, renderTable } from "../../output.ts";

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
    await printResult(io.stdout, output, { value: result, table: deployTable(result) });
    if (result.outcome === "rejected") throw rejected(result);
  },
});

function deployTable(result: DeployResult): string {
  const files = renderTable({
    columns: ["file", "services", "hash"],
    rows: result.files.map(({ name, services, hash }) => [
      name,
      services.join(", ") || "-",
      hash.slice(0, 12),
    ]),
  }, { colour: false });
  const servers = renderTable({
    columns: ["server", "outcome", "reason"],
    rows: result.servers.map(({ server, outcome, reason }) => [server, outcome, reason ?? "-"]),
    empty: "No server had anything to do",
  }, { colour: false });
  return `Outcome: ${result.outcome}, cluster revision ${result.revision}\n\n${files}\n${servers}`
    .trimEnd();
}

function rejected({ servers, files }: DeployResult): PlatformError {
  const failed = servers.filter(({ outcome }) => outcome === "failed");
  const reason = failed[0]?.reason ?? `no server took ${files.map(({ name }) => name).join(", ")}`;
  const details = servers.map((server) =>
    `${server.server}: ${server.outcome}${server.reason === undefined ? "" : `, ${server.reason}`}`
  );
  return new PlatformError("CLI_DEPLOY_REJECTED", { reason }, { details });
}
