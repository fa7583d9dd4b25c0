import type { DeploymentDetail, DeploymentView, FileOnServer } from "../../../admin-api/api.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { printResult, renderTable } from "../../output.ts";

export const command = defineCommand({
  path: "deployment show",
  summary: "Show a file's versions and what every worker runs of it",
  arguments: { file: { summary: "The file's name, such as hello.ts" } },
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman deployment show hello.ts --env ./demo"],
  async run({ file, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/deployments/${encodeURIComponent(file)}`;
    const detail = await withAdmin(environment, (client) => client.get<DeploymentDetail>(path));
    await printResult(io.stdout, output, { value: detail, table: renderDetail(detail) });
  },
});

function renderDetail({ file, history, servers }: DeploymentDetail): string {
  const current = history.find((row) => row.current);
  const head = current === undefined
    ? `${file} is not deployed any more; bring it back with dragoman deployment rollback ${file}`
    : `${file} is at ${current.hash.slice(0, 12)} with ${current.services.join(", ")}`;
  const versions = renderTable({
    columns: ["hash", "state", "services", "deployed at", "by"],
    rows: history.map((row) => [
      row.hash.slice(0, 12),
      stateOf(row),
      row.services.join(", "),
      row.deployedAt,
      row.deployedBy,
    ]),
  }, { colour: false });
  const workers = renderTable({
    columns: ["server", "outcome", "worker", "pid", "runs", "reason"],
    rows: servers.flatMap(serverRows),
    empty: "No server is up",
  }, { colour: false });
  return `${head}\n\n${versions}\n${workers}`.trimEnd();
}

function stateOf({ current, removedAt, removedBy, isKept }: DeploymentView): string {
  if (current) return "current";
  if (removedAt !== null) return `deleted ${removedAt} by ${removedBy ?? "?"}`;
  return isKept ? "earlier" : "earlier, code not kept";
}

function serverRows({ server, outcome, reason, workers }: FileOnServer) {
  if (workers.length === 0) return [[server, outcome, "-", "-", "-", reason ?? "-"]];
  return workers.map(({ id, pid, hash }) => [
    server,
    outcome,
    id,
    pid,
    hash?.slice(0, 12) ?? "nothing of it",
    reason ?? "-",
  ]);
}
