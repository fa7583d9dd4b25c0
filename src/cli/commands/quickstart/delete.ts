import { basename } from "node:path";
import { defineCommand, yesOption } from "../../command.ts";
import { confirm } from "../../confirm.ts";
import { environmentArgument, loadOwnEnvironment } from "../../quickstart/environment-command.ts";
import { refuseRunning, removeEnvironment } from "../../quickstart/remove.ts";

export const command = defineCommand({
  path: "quickstart delete",
  summary: "Delete a stopped environment with its configuration, data and keys",
  description: "Services that you have changed or added stay, and so does an ODB on a database " +
    "server; see delete odb.",
  arguments: { directory: environmentArgument },
  options: { yes: yesOption },
  examples: ["dragoman quickstart delete ./demo"],
  async run({ directory, yes }, io) {
    const { root } = await loadOwnEnvironment(directory, io);
    await refuseRunning(root);
    await confirm(io, { what: `Delete the environment ${root}`, answer: basename(root), yes });
    await removeEnvironment(root);
    io.stdout.write(`The environment ${root} is deleted\n`);
  },
});
