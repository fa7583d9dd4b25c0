import { defineCommand, environmentOption } from "../../command.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";

export const command = defineCommand({
  path: "invocation delete",
  summary: "Delete an invocation, whatever its state, unless it runs",
  description: "Nothing of it is left but the log.",
  arguments: { id: { summary: "Its id, as invocation list shows it" } },
  options: { env: environmentOption },
  examples: ["dragoman invocation delete 019a1b2c3d4e5f60718293a4b5c6d7e8 --env ./demo"],
  async run({ id, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/invocations/${encodeURIComponent(id)}`;
    await withAdmin(environment, (client) => client.delete<void>(path));
    io.stdout.write(`Invocation ${id} is deleted\n`);
  },
});
