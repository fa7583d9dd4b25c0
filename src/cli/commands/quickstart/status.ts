import { defineCommand, outputOption } from "../../command.ts";
import { setStatus } from "../../lifecycle/state.ts";
import { statusTable } from "../../lifecycle/status-table.ts";
import { printResult } from "../../output.ts";
import { environmentArgument, loadOwnEnvironment } from "../../quickstart/environment-command.ts";

export const command = defineCommand({
  path: "quickstart status",
  summary: "Show the state, process and ports of every component of an environment",
  arguments: { directory: environmentArgument },
  options: { output: outputOption },
  examples: ["dragoman quickstart status ./demo", "dragoman quickstart status ./demo -o json"],
  async run({ directory, output }, io) {
    const status = await setStatus(await loadOwnEnvironment(directory, io));
    await printResult(io.stdout, output, { value: status, table: statusTable(status) });
  },
});
