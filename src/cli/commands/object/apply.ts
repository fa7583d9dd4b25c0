import { resolve } from "node:path";
import type { ApplyResult } from "../../../admin-api/api.ts";
import { loadText } from "../../../config/yaml-source.ts";
import { applyObjects } from "../../cluster/apply-objects.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { loadEnvironment } from "../../cluster/environment.ts";
import { printResult, renderTable } from "../../output.ts";

export const command = defineCommand({
  path: "apply",
  summary: "Create or update the objects of a YAML or JSON file, all or none",
  description: "What the file does not name is left alone. Secret values may be written as " +
    "${env:NAME} or ${file:PATH}.",
  arguments: {},
  options: {
    file: {
      type: "text",
      short: "f",
      value: "FILE",
      required: true,
      summary: "The file, or - for standard input",
    },
    dryRun: { type: "flag", summary: "Say what would change, and change nothing" },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman apply -f channels.yaml --env ./demo",
    "dragoman apply -f channels.yaml --dry-run",
  ],
  async run({ file, dryRun, env, output }, io) {
    const source = file === "-"
      ? { text: await io.readStdin(), file: "standard input" }
      : { text: await loadText(resolve(io.cwd, file)), file: resolve(io.cwd, file) };
    const environment = await loadEnvironment({ env }, io);
    const result = await applyObjects(environment, source, { dryRun, env: io.env });
    await printResult(io.stdout, output, { value: result, table: applyTable(result, dryRun) });
    const failed = result.servers?.some(({ outcome }) => outcome === "failed") === true;
    return failed ? 1 : 0;
  },
});

/** What happened to each object and what each server made of it. */
export function applyTable({ changes, revision, servers }: ApplyResult, dryRun: boolean): string {
  const objects = renderTable({
    columns: ["kind", "name", "action", "revision"],
    rows: changes.map(({ kind, name, action, revision: own }) => [kind, name, action, own]),
  }, { colour: false });
  const outcomes = servers === undefined ? "" : "\n" + renderTable({
    columns: ["server", "outcome", "reason"],
    rows: servers.map(({ server, outcome, reason }) => [server, outcome, reason ?? "-"]),
  }, { colour: false });
  const note = dryRun ? "Nothing was changed (--dry-run)" : `Cluster revision ${revision}`;
  return `${note}\n\n${objects}${outcomes}`.trimEnd();
}
