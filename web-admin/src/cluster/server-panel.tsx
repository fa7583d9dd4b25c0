import type { ServerFailure } from "../../../src/admin-api/api.ts";
import type { ServerView } from "../../shared/overview.ts";
import { formatCount, formatRate, notKnown } from "../format.ts";
import { Fact, Facts, Panel, Reason } from "../ui/panel.tsx";
import { Since } from "../ui/since.tsx";
import styles from "./server-panel.module.css";
import { WorkerTable } from "./worker-table.tsx";

/** One server: what it runs, how it does, and each of its workers. */
export function ServerPanel({ server }: { readonly server: ServerView }) {
  const { name, health, condition, since, problem, facts, version } = server;
  const failed = facts?.failures.length ?? 0;
  return (
    <Panel
      id={`server-${name}`}
      title={name}
      health={health}
      state={
        <>
          {condition} <Since iso={since} />
          {failed > 0 && `, ${failed} failed`}
        </>
      }
      aside={version === null ? undefined : `version ${version}`}
    >
      {problem !== null && <Reason>{problem}</Reason>}
      {facts !== null && <Failures failures={facts.failures} />}
      <ServerFigures server={server} />
      {facts !== null && <WorkerTable server={name} workers={facts.workers} />}
    </Panel>
  );
}

function ServerFigures({ server }: { readonly server: ServerView }) {
  const { revision, step, stateHash, facts } = server;
  return (
    <Facts>
      {facts !== null && (
        <>
          <Fact name="Requests/s">{formatRate(server.requestsPerSecond)}</Fact>
          <Fact name="Requests">{formatCount(server.requestsTotal)}</Fact>
          <Fact name="Errors">{formatCount(server.errorsTotal)}</Fact>
          <Fact name="Refused" title="Answered with 503: there were too many">
            {formatCount(server.refusedTotal)}
          </Fact>
          <Fact name="In flight">{formatCount(server.inFlight)}</Fact>
        </>
      )}
      <Fact name="Revision">
        {revision ?? notKnown}{" "}
        <span data-health={stepHealth[step]} className={styles["step"]}>
          {step === "unknown" ? "when last seen" : step}
        </span>
      </Fact>
      <Fact name="State" title={stateHash ?? undefined}>
        <code>{stateHash === null ? notKnown : stateHash.slice(0, 8)}</code>
      </Fact>
      <Fact name="Address">{server.url ?? notKnown}</Fact>
      <Fact name="Admin API">{server.adminUrl}</Fact>
      {facts !== null && <Fact name="Process">{facts.pid} on {facts.hostname}</Fact>}
    </Facts>
  );
}

const stepHealth = { "in step": "good", behind: "warning", unknown: "unknown" } as const;

function Failures({ failures }: { readonly failures: readonly ServerFailure[] }) {
  return failures.map(({ kind, name, error }) => (
    <Reason key={`${kind} ${name}`}>
      <b>{kind} {name}</b> failed: {error}
    </Reason>
  ));
}
