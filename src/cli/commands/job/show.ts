import type { JobDetail } from "../../../admin-api/api.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { runTable } from "../../cluster/job-text.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { printResult, renderFields, renderTable } from "../../output.ts";

export const command = defineCommand({
  path: "job show",
  summary: "Show one job: its definition, its state, its next times and its last runs",
  arguments: { name: { summary: "The job's name" } },
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman job show billing.close --env ./demo"],
  async run({ name, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const path = `/v1/jobs/${encodeURIComponent(name)}`;
    const job = await withAdmin(environment, (client) => client.get<JobDetail>(path));
    await printResult(io.stdout, output, { value: job, table: renderJob(job) });
  },
});

function renderJob({ name, schedule, state, explanation, next, runs, paused, spec }: JobDetail) {
  const fields: (readonly [string, string])[] = [
    ["Job", name],
    ["Schedule", schedule],
    ["State", paused === null ? state : `${state} by ${paused.by} since ${paused.at}`],
    ["Now", explanation.sentence],
    ["Next times", next.join(", ") || "none"],
    ...Object.entries(spec).map(([field, value]) =>
      [`spec.${field}`, typeof value === "string" ? value : JSON.stringify(value)] as const
    ),
  ];
  const table = renderTable(runTable(runs, { withJob: false }), { colour: false });
  return `${renderFields(fields)}\n\nLast runs:\n${table.trimEnd()}`;
}
