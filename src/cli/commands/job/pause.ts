import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption } from "../../command.ts";

export const command = defineCommand({
  path: "job pause",
  summary: "Keep a job from running until job resume",
  description: "What runs goes on. Times that come while it is paused are not made up for.",
  arguments: { name: { summary: "The job's name" } },
  options: { env: environmentOption },
  examples: ["dragoman job pause billing.close --env ./demo"],
  async run({ name, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/jobs/${encodeURIComponent(name)}/pause`;
    await withAdmin(environment, (client) => client.post<void>(path));
    io.stdout.write(`Job ${name} is paused; to go on: dragoman job resume ${name}\n`);
  },
});
