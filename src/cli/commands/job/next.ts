import type { NextTimes } from "../../../admin-api/api.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "job next",
  summary: "Show the next times of a job, in UTC",
  arguments: { name: { summary: "The job's name" } },
  options: {
    count: {
      type: "integer",
      short: "n",
      min: 1,
      max: 1_000,
      default: 5,
      value: "N",
      summary: "How many",
    },
    env: environmentOption,
    output: outputOption,
  },
  examples: ["dragoman job next billing.close --count 10 --env ./demo"],
  async run({ name, count, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/jobs/${encodeURIComponent(name)}/next?count=${count}`;
    const next = await withAdmin(environment, (client) => client.get<NextTimes>(path));
    const table = next.times.length > 0 ? next.times.join("\n") : next.explanation.sentence;
    await printResult(io.stdout, output, { value: next, table });
  },
});
