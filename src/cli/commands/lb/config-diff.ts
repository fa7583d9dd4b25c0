import { PlatformError } from "../../../errors/platform-error.ts";
import { renderDiff } from "../../balancer/diff-text.ts";
import { documentFileOption, readDocument } from "../../balancer/document-file.ts";
import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { exitCodes } from "../../error-text.ts";
import { printResult } from "../../output.ts";

const path = "lb config diff";

export const command = defineCommand({
  path,
  summary: "Show what a configuration, or going back to an earlier one, would change",
  description:
    "From what holds to what is asked about: as people write it, and as the engine would run it. " +
    "Exit code 0 when there is no difference, 3 when there is one.",
  arguments: {},
  options: {
    file: documentFileOption,
    revision: { type: "text", value: "ID", summary: "One of dragoman lb config history" },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman lb config diff -f balancer.yaml --env ./demo",
    "dragoman lb config diff --revision 3",
  ],
  async run({ file, revision, env, output }, io) {
    if ((file === undefined) === (revision === undefined)) {
      const reason = "Give either --file or --revision";
      throw new PlatformError("CLI_USAGE", { reason, command: path });
    }
    const to = file === undefined
      ? { to: revision ?? "" }
      : { document: await readDocument(file, io, path) };
    const environment = await loadEnvironment({ env }, io);
    const diff = await withAgent(environment, (agent) => agent.configuration.diff(to));
    await printResult(io.stdout, output, { value: diff, table: renderDiff(diff, io.stdout) });
    return diff.document.length + diff.native.length > 0 ? exitCodes.differs : exitCodes.ok;
  },
});
