import type { DriftReport } from "../../../admin-api/api.ts";
import { askWithOdb } from "../../cluster/ask-with-odb.ts";
import { driftText } from "../../cluster/drift-text.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { exitCodes } from "../../error-text.ts";
import type { CommandIo } from "../../io.ts";
import {
  differencesOf,
  differs,
  type ObjectDifference,
  renderDifferences,
} from "../../objects/difference.ts";
import { fileArguments, fileOptions, readFileOptions } from "../../objects/file-options.ts";
import { sendDocuments } from "../../objects/send-documents.ts";
import { printResult } from "../../output.ts";

const path = "drift";
const { file, envFile } = fileOptions;

export const command = defineCommand({
  path,
  summary: "Show every difference between files, the ODB and what each server really runs",
  description:
    "Asks every server, and every worker of it, which objects, deployments, certificates " +
    "and secrets it really runs, and holds them against the ODB; with files, also these. Exit code " +
    "0 when all is the same, 3 when anything differs; a server that does not answer, or is cut off " +
    "from the ODB, is a difference. One that was stopped is not.",
  arguments: fileArguments,
  options: { file, envFile, env: environmentOption, output: outputOption },
  examples: ["dragoman drift --env ./demo", "dragoman drift objects --env-file .env"],
  async run({ env, output, ...input }, io) {
    const environment = await loadEnvironment({ env }, io);
    const hasFiles = input.files.length + input.file.length > 0;
    const report = await askWithOdb(
      environment,
      (client) => client.get<DriftReport>("/v1/drift"),
    );
    const files = hasFiles ? await compareFiles(input, io, environment) : null;
    const text = driftText(report);
    const table = files === null ? text : `${renderDifferences(files, io.stdout)}\n\n${text}`;
    await printResult(io.stdout, output, { value: { ...report, files }, table });
    const isSame = report.differences.length === 0 && (files === null || !differs(files));
    return isSame ? exitCodes.ok : exitCodes.differs;
  },
});

async function compareFiles(
  input: Pick<Parameters<typeof readFileOptions>[1], "files" | "file" | "envFile">,
  io: CommandIo,
  environment: Awaited<ReturnType<typeof loadEnvironment>>,
): Promise<readonly ObjectDifference[]> {
  const all = { ...input, prune: false, pruneAllKinds: false };
  const { documents, env } = await readFileOptions(path, all, io);
  const sent = await withAdmin(
    environment,
    (client) => sendDocuments(client, documents, { mode: "compare", env }),
  );
  for (const warning of sent.warnings) io.stderr.write(`Warning: ${warning}\n`);
  return differencesOf(documents, sent);
}
