import { useQuery } from "@tanstack/react-query";
import type { LeaseView } from "../../../src/admin-api/api.ts";
import { notKnown, shortTimestamp } from "../format.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { StateWord } from "../ui/state-word.tsx";
import styles from "./jobs.module.css";
import { leasesQuery } from "./jobs-api.ts";
import { Problem } from "./problem.tsx";

const healths = { held: "good", expired: "warning", free: "warning" } as const;

const columns: readonly Column<LeaseView>[] = [
  { title: "Lease", cell: ({ name }) => name },
  { title: "State", cell: ({ state }) => <StateWord health={healths[state]}>{state}</StateWord> },
  { title: "Server", cell: ({ state, server }) => (state === "held" ? server : notKnown) },
  { title: "Epoch", isNumber: true, cell: ({ epoch }) => epoch },
  { title: "Since", cell: ({ acquiredAt }) => shortTimestamp(acquiredAt) },
];

/** What only one server of the cluster may do at a time, and which one does. */
export function LeasesPanel({ cluster }: { readonly cluster: string }) {
  const { data: leases, error } = useQuery(leasesQuery(cluster));
  const open = leases?.filter(({ state }) => state !== "held").length ?? 0;
  return (
    <Panel
      id="leases"
      title="Leases"
      health={error !== null
        ? "bad"
        : leases === undefined
        ? "unknown"
        : open > 0
        ? "warning"
        : "good"}
      state={open > 0 && `${open} held by nobody`}
      aside="what one server does for all"
    >
      {error !== null && <Problem error={error} />}
      {leases?.length === 0 && <p className={styles["empty"]}>Nobody has held one so far.</p>}
      {leases !== undefined && leases.length > 0 && (
        <DataTable
          label="Leases"
          columns={columns}
          rows={leases}
          keyOf={({ name }) => name}
          healthOf={({ state }) => healths[state]}
        />
      )}
    </Panel>
  );
}
