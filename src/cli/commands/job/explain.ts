import type { JobDetail } from "../../../admin-api/api.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "job explain",
  summary: "Say in one sentence why a job did not run, or what it does next",
  arguments: { name: { summary: "The job's name" } },
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman job explain billing.close --env ./demo"],
  async run({ name, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/jobs/${encodeURIComponent(name)}`;
    const { explanation } = await withAdmin(environment, (client) => client.get<JobDetail>(path));
    await printResult(io.stdout, output, { value: explanation, table: explanation.sentence });
  },
});
