import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption } from "../../command.ts";

export const command = defineCommand({
  path: "job resume",
  summary: "Let a paused job run again, from its next time on",
  arguments: { name: { summary: "The job's name" } },
  options: { env: environmentOption },
  examples: ["dragoman job resume billing.close --env ./demo"],
  async run({ name, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/jobs/${encodeURIComponent(name)}/resume`;
    await withAdmin(environment, (client) => client.post<void>(path));
    io.stdout.write(`Job ${name} is not paused; see when it runs: dragoman job next ${name}\n`);
  },
});
