import type { WorkerView } from "../../shared/overview.ts";
import { formatCount, formatMemory, formatMs, formatRate } from "../format.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Since } from "../ui/since.tsx";
import { StateWord } from "../ui/state-word.tsx";

/** The workers of one server. */
export function WorkerTable(
  { server, workers }: { readonly server: string; readonly workers: readonly WorkerView[] },
) {
  return (
    <DataTable
      label={`Workers of ${server}`}
      columns={columns}
      rows={workers}
      keyOf={({ id }) => id}
      healthOf={({ health }) => health}
    />
  );
}

const columns: readonly Column<WorkerView>[] = [
  { title: "Worker", cell: ({ id }) => `worker ${id}` },
  {
    title: "State",
    cell: ({ health, state, startedAt }) => (
      <StateWord health={health}>
        {state} <Since iso={startedAt} />
      </StateWord>
    ),
  },
  { title: "PID", isNumber: true, cell: ({ pid }) => pid },
  { title: "Restarts", isNumber: true, cell: ({ restarts }) => formatCount(restarts) },
  { title: "Req/s", isNumber: true, cell: (row) => formatRate(row.requestsPerSecond) },
  { title: "Requests", isNumber: true, cell: (row) => formatCount(row.requestsTotal) },
  { title: "Errors", isNumber: true, cell: (row) => formatCount(row.errorsTotal) },
  { title: "In flight", isNumber: true, cell: ({ inFlight }) => formatCount(inFlight) },
  { title: "Memory", isNumber: true, cell: ({ memoryBytes }) => formatMemory(memoryBytes) },
  { title: "Loop delay", isNumber: true, cell: (row) => formatMs(row.eventLoopDelayMs) },
];
