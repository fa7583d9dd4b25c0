import type { BalancedServerView, BalancerFacts, BalancerView } from "../../shared/overview.ts";
import { formatCount, formatRate } from "../format.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Fact, Facts, Panel, Reason } from "../ui/panel.tsx";
import { Since } from "../ui/since.tsx";
import { StateWord } from "../ui/state-word.tsx";

/** The balancer, and what it thinks of each server. */
export function BalancerPanel({ balancer }: { readonly balancer: BalancerView | null }) {
  if (balancer === null) {
    return (
      <Panel id="balancer" title="Balancer" health="unknown" state="none of ours">
        <Facts>
          <Fact name="Configured">no agent; something else spreads the requests</Fact>
        </Facts>
      </Panel>
    );
  }
  const { health, facts, problem, since, agentUrl } = balancer;
  const state = facts === null ? "agent does not answer" : "up";
  return (
    <Panel
      id="balancer"
      title="Balancer"
      health={health}
      state={
        <>
          {state} <Since iso={since} />
        </>
      }
      aside={facts === null ? undefined : `${facts.engine} ${facts.engineVersion}`}
    >
      {problem !== null && <Reason>{problem}</Reason>}
      {facts === null
        ? (
          <Facts>
            <Fact name="Agent">{agentUrl}</Fact>
          </Facts>
        )
        : <BalancerDetails facts={facts} agentUrl={agentUrl} />}
    </Panel>
  );
}

function BalancerDetails(
  { facts, agentUrl }: { readonly facts: BalancerFacts; readonly agentUrl: string },
) {
  const { url, version, pid, requestsPerSecond, requestsTotal, sessionsCurrent, servers } = facts;
  return (
    <>
      <Facts>
        <Fact name="Requests/s">{formatRate(requestsPerSecond)}</Fact>
        <Fact name="Requests">{formatCount(requestsTotal)}</Fact>
        <Fact name="Sessions">{formatCount(sessionsCurrent)}</Fact>
        <Fact name="Clients connect to">{url}</Fact>
        <Fact name="Agent" title={`Version ${version}, process ${pid}`}>{agentUrl}</Fact>
      </Facts>
      {servers.length === 0 ? <Reason>No server has registered with it.</Reason> : (
        <DataTable
          label="Servers as the balancer sees them"
          columns={columns}
          rows={servers}
          keyOf={({ name }) => name}
          healthOf={({ health }) => health}
        />
      )}
    </>
  );
}

const columns: readonly Column<BalancedServerView>[] = [
  { title: "Server", cell: ({ name }) => <a href={`#server-${name}`}>{name}</a> },
  {
    title: "State",
    cell: ({ health, state, since }) => (
      <StateWord health={health}>
        {state} <Since iso={since} />
      </StateWord>
    ),
  },
  { title: "Why", isWide: true, cell: ({ reason }) => reason },
  { title: "Address", isWide: true, cell: ({ address }) => address },
  { title: "Req/s", isNumber: true, cell: (row) => formatRate(row.requestsPerSecond) },
  { title: "Requests", isNumber: true, cell: (row) => formatCount(row.requestsTotal) },
  { title: "Sessions", isNumber: true, cell: (row) => formatCount(row.sessionsCurrent) },
  { title: "Errors", isNumber: true, cell: (row) => formatCount(row.errorsTotal) },
];
