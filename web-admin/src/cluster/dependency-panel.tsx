import type { DependencySighting, DependencyView, Health } from "../../shared/overview.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Fact, Facts, Panel } from "../ui/panel.tsx";
import { Since } from "../ui/since.tsx";
import { StateWord } from "../ui/state-word.tsx";

const words: Record<DependencyView["condition"], string> = {
  up: "up",
  partly: "not reached by all servers",
  down: "down",
  none: "not configured",
  unknown: "not known: no server answers",
};

/** The ODB or the KVDB, as each server sees it. */
export function DependencyPanel(
  { id, title, dependency }: {
    readonly id: string;
    readonly title: string;
    readonly dependency: DependencyView;
  },
) {
  const { health, condition, engine, address, servers } = dependency;
  return (
    <Panel id={id} title={title} health={health} state={words[condition]} aside={engine}>
      {address !== "" && (
        <Facts>
          <Fact name="Address">{address}</Fact>
        </Facts>
      )}
      {servers.length > 0 && condition !== "none" && (
        <DataTable
          label={`${title} as each server sees it`}
          columns={columns}
          rows={servers}
          keyOf={({ server }) => server}
          healthOf={({ state }) => healthOf[state]}
        />
      )}
    </Panel>
  );
}

const healthOf = {
  up: "good",
  down: "bad",
  none: "unknown",
  unknown: "unknown",
} as const satisfies Record<DependencySighting["state"], Health>;

const columns: readonly Column<DependencySighting>[] = [
  { title: "From", cell: ({ server }) => <a href={`#server-${server}`}>{server}</a> },
  {
    title: "State",
    cell: ({ state, since }) => (
      <StateWord health={healthOf[state]}>
        {state === "unknown" ? "not known" : state} <Since iso={since} />
      </StateWord>
    ),
  },
  { title: "Why", isWide: true, cell: ({ reason }) => reason },
];
