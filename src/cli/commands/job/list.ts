import type { JobView } from "../../../admin-api/api.ts";
import { loadEnvironment, withAdmin } from "../../cluster/environment.ts";
import { defineCommand, environmentOption, outputOption } from "../../command.ts";
import { printResult, renderTable } from "../../output.ts";

export const command = defineCommand({
  path: "job list",
  summary: "List jobs: what they invoke and when, when they run next, and how the last run ended",
  description:
    "active; paused: until job resume; inactive: its definition says so; ended: none of " +
    "its times is left; alarm: it is active and will never run, and the reason stands below.",
  arguments: {},
  options: { env: environmentOption, output: outputOption },
  examples: ["dragoman job list --env ./demo", "dragoman job list -o json"],
  async run({ env, output }, io) {
    const environment = await loadEnvironment({ env }, io);
    const jobs = await withAdmin(
      environment,
      (client) => client.get<readonly JobView[]>("/v1/jobs"),
    );
    await printResult(io.stdout, output, {
      value: jobs,
      table: renderJobs(jobs, io.stdout.colour),
    });
  },
});

function renderJobs(jobs: readonly JobView[], colour: boolean): string {
  const table = renderTable({
    columns: ["name", "schedule", "service", "state", "next", "last run"],
    rows: jobs.map(({ name, schedule, service, state, nextAt, lastRun }) => [
      name,
      schedule,
      service,
      state,
      nextAt ?? "-",
      lastRun === null ? "-" : `${lastRun.state} ${lastRun.startedAt ?? lastRun.plannedAt}`,
    ]),
    empty: "There are no jobs; describe one (dragoman schema Job) and apply it (dragoman apply)",
  }, { colour });
  const alarms = jobs.flatMap(({ name, reason }) => reason === undefined ? [] : [{ name, reason }]);
  const lines = alarms.map(({ name, reason }) => `Alarm: ${name}: ${reason}`);
  return [table.trimEnd(), ...lines].join("\n");
}
