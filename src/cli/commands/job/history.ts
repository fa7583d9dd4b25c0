import type { RunDetail, RunView } from "../../../admin-api/api.ts";
import { runStates } from "../../../odb/job-types.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { renderRun, runTable } from "../../cluster/job-text.ts";
import { defineCommand, environmentOption, limitOption, outputOption } from "../../command.ts";
import { printResult } from "../../output.ts";

export const command = defineCommand({
  path: "job history",
  summary: "List runs of one job or of all, newest first, or show one run with its output",
  description:
    "What is only planned is listed with --state planned. skipped: it did not begin, and the " +
    "reason says why; lost: its server went away in the middle. Runs that ended are kept for some " +
    "days (scheduler.keepRunsDays of the servers' configuration).",
  arguments: { name: { summary: "The job's name", optional: true } },
  options: {
    run: { type: "text", value: "ID", summary: "Show this run instead of a list" },
    state: { type: "choice", choices: runStates, summary: "Only those in this state" },
    limit: limitOption,
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman job history billing.close --env ./demo",
    "dragoman job history --state failed",
    "dragoman job history --run 019a1b2c3d4e5f60718293a4b5c6d7e8",
  ],
  async run({ name, run, state, limit, env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    if (run !== undefined) {
      const path = `/v1/runs/${encodeURIComponent(run)}`;
      const one = await withAdmin(environment, (client) => client.get<RunDetail>(path));
      return await printResult(io.stdout, output, { value: one, table: renderRun(one) });
    }
    const query = new URLSearchParams({ limit: String(limit) });
    if (name !== undefined) query.set("job", name);
    if (state === undefined) query.set("hasBegun", "true");
    else query.set("state", state);
    const runs = await withAdmin(
      environment,
      (client) => client.get<readonly RunView[]>(`/v1/runs?${query}`),
    );
    const table = runTable(runs, { withJob: name === undefined });
    await printResult(io.stdout, output, { value: runs, table });
  },
});
