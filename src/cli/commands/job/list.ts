import { jobStates, type JobView } from "../../../admin-api/api.ts";
import { printList } from "../../cluster/print-list.ts";
import { defineCommand, environmentOption, limitOption, outputOption } from "../../command.ts";
import { quoteWord, renderTable, type Table } from "../../output.ts";

export const command = defineCommand({
  path: "job list",
  summary: "List jobs: what they invoke and when, when they run next, and how the last run ended",
  description:
    "active; paused: until job resume; inactive: its definition says so; ended: none of " +
    "its times is left; alarm: it is active and will never run, and the reason stands below.",
  arguments: {},
  options: {
    state: { type: "choice", choices: jobStates, summary: "Only those in this state" },
    after: { type: "text", value: "NAME", summary: "Only those whose names come after this one" },
    limit: { ...limitOption, default: 100 },
    env: environmentOption,
    output: outputOption,
  },
  examples: [
    "dragoman job list --env ./demo",
    "dragoman job list --state alarm",
    "dragoman job list -o json",
  ],
  async run({ state, after, limit, ...input }, io) {
    await printList<JobView>(input, io, {
      path: "/v1/jobs",
      query: { limit, state, after },
      table: (jobs) => {
        const empty = state === undefined && after === undefined ? noJobs : "There are none";
        return [
          renderTable({ ...jobTable(jobs), empty }, io.stdout).trimEnd(),
          ...alarmLines(jobs),
          ...(jobs.length < limit ? [] : [moreLine(jobs)]),
        ].join("\n");
      },
    });
  },
});

const noJobs =
  "There are no jobs; describe one (dragoman schema Job) and apply it (dragoman apply)";

function jobTable(jobs: readonly JobView[]): Table {
  return {
    columns: ["name", "schedule", "service", "state", "next", "last run"],
    rows: jobs.map(({ name, schedule, service, state, nextAt, lastRun }) => [
      name,
      schedule,
      service,
      state,
      nextAt ?? "-",
      lastRun === null ? "-" : `${lastRun.state} ${lastRun.startedAt ?? lastRun.plannedAt}`,
    ]),
  };
}

function alarmLines(jobs: readonly JobView[]): readonly string[] {
  return jobs.flatMap(({ name, reason }) =>
    reason === undefined ? [] : [`Alarm: ${name}: ${reason}`]
  );
}

/** The list is full, so that more may follow. */
function moreLine(jobs: readonly JobView[]): string {
  const last = quoteWord(jobs.at(-1)!.name); // a limit is 1 at least
  return `There may be more: dragoman job list --after ${last}`;
}
