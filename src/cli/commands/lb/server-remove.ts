import { renderChange } from "../../balancer/change.ts";
import { removeFromBalancers, renderMissed } from "../../balancer/remove-server.ts";
import { loadEnvironment } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { exitCodes } from "../../error-text.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "lb server remove",
  summary: "Take a server out of every balancer for good",
  description:
    "Requests that it has are finished. Fails when a balancer of the environment cannot be " +
    "reached; it is out of the others then. A server of the platform that still runs registers " +
    "again within seconds: stop it first, or use dragoman lb maintenance.",
  arguments: { server: { summary: "The server's name" } },
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman lb server remove legacy --env ./demo"],
  async run({ server, env, output }, io) {
    const removal = await removeFromBalancers(await loadEnvironment({ env }, io), server);
    // What each balancer has is known here; what they tell each other is only a part of it.
    const done = renderChange(`${server} is out of the balancer`, { ...removal, peers: [] });
    await printResult(io.stdout, output, {
      value: removal,
      table: [done, ...renderMissed(removal)].join("\n"),
    });
    return removal.missed.length === 0 ? exitCodes.ok : exitCodes.failed;
  },
});
