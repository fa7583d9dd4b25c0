import { defineCommand, environmentOption, yesOption } from "../../command.ts";
import { confirm } from "../../confirm.ts";
import { exitCodes } from "../../error-text.ts";
import { removeFromBalancers, renderMissed } from "../../balancer/remove-server.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";

export const command = defineCommand({
  path: "server delete",
  summary: "Strike a server off the cluster's list that will not come back",
  description: "Only a server that is down or lost; its directory is not touched. Every balancer " +
    "forgets it, too; the command fails when one cannot be reached.",
  arguments: { name: { summary: "The server's name" } },
  options: { yes: yesOption, env: environmentOption },
  examples: ["dragoman server delete server3 --env ./demo"],
  async run({ name, yes, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    await confirm(io, { what: `Strike off the server "${name}"`, answer: name, yes });
    const path = `/v1/servers/${encodeURIComponent(name)}`;
    await withAdmin(environment, (client) => client.delete<void>(path));
    const missed = environment.agentUrls.length === 0
      ? []
      : renderMissed(await removeFromBalancers(environment, name));
    io.stdout.write([`Server "${name}" is off the list`, ...missed].join("\n") + "\n");
    return missed.length === 0 ? exitCodes.ok : exitCodes.failed;
  },
});
