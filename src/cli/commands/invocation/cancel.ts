import { defineCommand, environmentOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";

export const command = defineCommand({
  path: "invocation cancel",
  summary: "Cancel an invocation that waits",
  description:
    "One that runs cannot be cancelled. It is kept for a day, and invocation retry brings it back.",
  arguments: { id: { summary: "Its id, as invocation list shows it" } },
  options: { env: environmentOption },
  examples: ["dragoman invocation cancel 019a1b2c3d4e5f60718293a4b5c6d7e8 --env ./demo"],
  async run({ id, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/invocations/${encodeURIComponent(id)}/cancel`;
    await withAdmin(environment, (client) => client.post<void>(path));
    io.stdout.write(`Invocation ${id} is cancelled\n`);
  },
});
