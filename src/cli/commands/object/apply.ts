import type { ObjectDeletion } from "../../../admin-api/api.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption, yesOption } from "../../command.ts";
import { confirm } from "../../confirm.ts";
import { exitCodes } from "../../error-text.ts";
import { applyTable } from "../../objects/apply-table.ts";
import { fileArguments, fileOptions, readFileOptions } from "../../objects/file-options.ts";
import { sendDocuments } from "../../objects/send-documents.ts";
import { findSurplus } from "../../objects/surplus.ts";
import { printResult } from "../../output.ts";

const path = "apply";

export const command = defineCommand({
  path,
  summary: "Create or update the objects of YAML or JSON files, all or none",
  description: "What the files do not name is left alone, unless --prune is given. Secret values " +
    "may be written as ${env:NAME} or ${file:PATH}. dragoman diff shows what would change, field " +
    "by field.",
  arguments: fileArguments,
  options: {
    ...fileOptions,
    dryRun: { type: "flag", summary: "Say what would change, and change nothing" },
    yes: yesOption,
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman apply -f channels.yaml --env ./demo",
    "dragoman apply -f objects --prune --dry-run",
  ],
  async run({ dryRun, yes, env, output, ...input }, io) {
    const { documents, env: variables } = await readFileOptions(path, input, io);
    const environment = await loadEnvironment({ env }, io);
    const allKinds = input.pruneAllKinds;
    const deletions = input.prune
      ? await withAdmin(environment, (client) => findSurplus(client, documents, { allKinds }))
      : [];
    if (deletions.length > 0 && !dryRun) {
      io.stderr.write(deletions.map(({ kind, name }) => `  delete ${kind} ${name}\n`).join(""));
      await confirm(io, { what: `Delete ${count(deletions)}`, answer: "delete", yes });
    }
    const mode = dryRun ? "dry run" as const : "apply" as const;
    const { result, warnings } = await withAdmin(
      environment,
      (client) => sendDocuments(client, documents, { mode, deletions, env: variables }),
    );
    for (const warning of warnings) io.stderr.write(`Warning: ${warning}\n`);
    await printResult(io.stdout, output, { value: result, table: applyTable(result, dryRun) });
    const failed = result.servers?.some(({ outcome }) => outcome === "failed") === true;
    return failed ? exitCodes.failed : exitCodes.ok;
  },
});

function count({ length }: readonly ObjectDeletion[]): string {
  return length === 1 ? "1 object that no file names" : `${length} objects that no file names`;
}
