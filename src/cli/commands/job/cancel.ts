import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption } from "../../command.ts";

export const command = defineCommand({
  path: "job cancel",
  summary: "Cancel a run that is planned or running",
  description:
    "One that is running fails within a second or two: its service is told by ctx.signal, " +
    "and what it does after that counts no more. It is not tried again.",
  arguments: { run: { summary: "The run's id, as job history shows it" } },
  options: { env: environmentOption },
  examples: ["dragoman job cancel 019a1b2c3d4e5f60718293a4b5c6d7e8 --env ./demo"],
  async run({ run, env }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/runs/${encodeURIComponent(run)}/cancel`;
    await withAdmin(environment, (client) => client.post<void>(path));
    io.stdout.write(
      `Run ${run} is cancelled; see how it ends: dragoman job history --run ${run}\n`,
    );
  },
});
