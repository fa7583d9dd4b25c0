import type { JobState, RunView } from "../../../src/admin-api/api.ts";
import type { Health } from "../../shared/overview.ts";
import { formatMs, notKnown, shortTimestamp } from "../format.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { StateWord } from "../ui/state-word.tsx";
import styles from "./jobs.module.css";

export const jobHealth: Readonly<Record<JobState, Health>> = {
  active: "good",
  paused: "warning",
  inactive: "unknown",
  ended: "unknown",
  alarm: "bad",
};

export const runHealth: Readonly<Record<RunView["state"], Health>> = {
  planned: "unknown",
  running: "unknown",
  ok: "good",
  failed: "bad",
  skipped: "warning",
  lost: "bad",
};

const columns: readonly Column<RunView>[] = [
  { title: "Planned for", cell: ({ plannedAt }) => shortTimestamp(plannedAt) },
  {
    title: "State",
    cell: ({ state }) => <StateWord health={runHealth[state]}>{state}</StateWord>,
  },
  {
    title: "Took",
    isNumber: true,
    cell: ({ durationMs }) => (durationMs === null ? notKnown : formatMs(durationMs)),
  },
  { title: "Server", cell: ({ server }) => server ?? notKnown },
  { title: "Asked for by", cell: ({ requestedBy, trigger }) => requestedBy ?? trigger },
  { title: "Why", isWide: true, cell: ({ reason }) => reason ?? notKnown },
  { title: "Run", cell: ({ id }) => <code title={id}>{id.slice(0, 12)}</code> },
];

/** Runs of one job. */
export function RunTable({ runs }: { readonly runs: readonly RunView[] }) {
  if (runs.length === 0) return <p className={styles["empty"]}>It has not run so far.</p>;
  return (
    <DataTable
      label="Runs"
      columns={columns}
      rows={runs}
      keyOf={({ id }) => id}
      healthOf={({ state }) => runHealth[state]}
    />
  );
}
