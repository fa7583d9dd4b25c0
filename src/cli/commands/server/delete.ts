import { defineCommand, environmentOption, yesOption } from "../../command.ts";
import { confirm } from "../../confirm.ts";
import { loadEnvironment, withAdmin, withAgent } from "../../cluster/environment.ts";

export const command = defineCommand({
  path: "server delete",
  summary: "Strike a server off the cluster's list that will not come back",
  description: "Only a server that is down or lost; its directory is not touched. The balancer " +
    "forgets it, too.",
  arguments: { name: { summary: "The server's name" } },
  options: { yes: yesOption, env: environmentOption },
  examples: ["dragoman server delete server3 --env ./demo"],
  async run({ name, yes, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    await confirm(io, { what: `Strike off the server "${name}"`, answer: name, yes });
    const path = `/v1/servers/${encodeURIComponent(name)}`;
    await withAdmin(environment, (client) => client.delete<void>(path));
    if (environment.agentUrl !== undefined) {
      await withAgent(environment, (agent) => agent.leave(name));
    }
    io.stdout.write(`Server "${name}" is off the list\n`);
  },
});
