import { defineCommand, environmentOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";

export const command = defineCommand({
  path: "invocation retry",
  summary: "Run an invocation now, with all its attempts",
  description: "For one that failed, was cancelled, or waits for its time.",
  arguments: { id: { summary: "Its id, as invocation list shows it" } },
  options: { env: environmentOption },
  examples: ["dragoman invocation retry 019a1b2c3d4e5f60718293a4b5c6d7e8 --env ./demo"],
  async run({ id, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/invocations/${encodeURIComponent(id)}/retry`;
    await withAdmin(environment, (client) => client.post<void>(path));
    io.stdout.write(`Invocation ${id} runs again as soon as a server is free\n`);
  },
});
