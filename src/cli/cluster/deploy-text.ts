import type { DeployResult, ServerOutcome } from "../../admin-api/api.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { renderTable } from "../output.ts";

/** What came of a deployment: its files, then every server's outcome. */
export function renderDeployResult(result: DeployResult): string {
  const files = renderTable({
    columns: ["file", "services", "hash"],
    rows: result.files.map(({ name, services, hash }) => [
      name,
      services.join(", ") || "-",
      hash.slice(0, 12),
    ]),
  }, { colour: false });
  return `Outcome: ${result.outcome}, cluster revision ${result.revision}\n\n${files}\n${
    renderOutcomes(result.servers)
  }`.trimEnd();
}

/** A line for each server. */
export function renderOutcomes(servers: readonly ServerOutcome[]): string {
  return renderTable({
    columns: ["server", "outcome", "reason"],
    rows: servers.map(({ server, outcome, reason }) => [server, outcome, reason ?? "-"]),
    empty: "No server had anything to do",
  }, { colour: false });
}

/** Throws CLI_DEPLOY_REJECTED, with a line for each server, for a deployment that was rejected. */
export function requireDeployed({ outcome, servers, files }: DeployResult): void {
  if (outcome !== "rejected") return;
  const failed = servers.find((server) => server.outcome === "failed");
  const reason = failed?.reason ?? `no server took ${files.map(({ name }) => name).join(", ")}`;
  const details = servers.map((server) =>
    `${server.server}: ${server.outcome}${server.reason === undefined ? "" : `, ${server.reason}`}`
  );
  throw new PlatformError("CLI_DEPLOY_REJECTED", { reason }, { details });
}
