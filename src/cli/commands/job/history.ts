import type { RunDetail, RunView } from "../../../admin-api/api.ts";
import { runStates } from "../../../odb/job-types.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { renderRun, runTable } from "../../cluster/job-text.ts";
import { printList } from "../../cluster/print-list.ts";
import { defineCommand, environmentOption, limitOption, outputOption } from "../../command.ts";
import type { CommandIo } from "../../io.ts";
import { type OutputFormat, printResult } from "../../output.ts";

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
  async run({ name, run, state, limit, ...input }, io) {
    if (run !== undefined) return await showRun(run, input, io);
    await printList<RunView>(input, io, {
      path: "/v1/runs",
      query: { limit, job: name, state, hasBegun: state === undefined ? true : undefined },
      table: (runs) => runTable(runs, { withJob: name === undefined }),
    });
  },
});

async function showRun(
  id: string,
  { env, output }: { readonly env: string | undefined; readonly output: OutputFormat },
  io: CommandIo,
): Promise<void> {
  const environment = await loadEnvironment({ env }, io);
  const path = `/v1/runs/${encodeURIComponent(id)}`;
  const run = await withAdmin(environment, (client) => client.get<RunDetail>(path));
  await printResult(io.stdout, output, { value: run, table: renderRun(run) });
}
