import { loadEnvironment, withAgent } from "../../cluster/environment.ts";
import { defineCommand, environmentOption } from "../../command.ts";

export const command = defineCommand({
  path: "lb command",
  summary: "Ask HAProxy itself: pass on one of its commands that show something",
  description:
    "Any show command but those whose answers may hold secrets, and some that only touch " +
    "counters and tables. What would change servers or settings goes through the other commands " +
    "of dragoman lb, so that it lasts.",
  arguments: { words: { summary: "The command, such as show info", variadic: true } },
  options: { env: environmentOption },
  examples: [
    "dragoman lb command show info --env ./demo",
    "dragoman lb command show servers state",
  ],
  async run({ words, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    const answer = await withAgent(environment, (agent) => agent.command(words.join(" ")));
    io.stdout.write(`${answer === "" ? "Done" : answer}\n`);
  },
});
