import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { exitCodes } from "../../error-text.ts";
import { differencesOf, differs, renderDifferences } from "../../objects/difference.ts";
import { fileArguments, fileOptions, readFileOptions } from "../../objects/file-options.ts";
import { sendDocuments } from "../../objects/send-documents.ts";
import { findSurplus } from "../../objects/surplus.ts";
import { printResult } from "../../output.ts";

const path = "diff";

export const command = defineCommand({
  path,
  summary: "Show what apply would change, field by field",
  description: "Exit code 0 when the cluster is as the files say, 3 when it differs. Secrets are " +
    "told as changed, unchanged or unknown, never by value; one whose ${env:NAME} is not set is " +
    "unknown, and alone makes no difference.",
  arguments: fileArguments,
  options: { ...fileOptions, env: environmentOption, output: outputOption },
  examples: [
    "dragoman diff -f objects --env ./demo",
    "dragoman diff -f objects --prune --env-file .env",
  ],
  async run({ env, output, ...input }, io) {
    const { documents, env: variables } = await readFileOptions(path, input, io);
    const environment = await loadEnvironment({ env }, io);
    const sent = await withAdmin(environment, async (client) => {
      const options = { allKinds: input.pruneAllKinds };
      const deletions = input.prune ? await findSurplus(client, documents, options) : [];
      return await sendDocuments(client, documents, { mode: "compare", deletions, env: variables });
    });
    for (const warning of sent.warnings) io.stderr.write(`Warning: ${warning}\n`);
    const differences = differencesOf(documents, sent);
    const table = renderDifferences(differences, io.stdout);
    await printResult(io.stdout, output, { value: differences, table });
    return differs(differences) ? exitCodes.differs : exitCodes.ok;
  },
});
