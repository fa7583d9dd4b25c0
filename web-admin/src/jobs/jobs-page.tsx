import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import type { JobState, JobView } from "../../../src/admin-api/api.ts";
import { formatCount, notKnown, shortTimestamp } from "../format.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { StateWord } from "../ui/state-word.tsx";
import { jobsQuery } from "./jobs-api.ts";
import styles from "./jobs.module.css";
import { LeasesPanel } from "./leases-panel.tsx";
import { Problem } from "./problem.tsx";
import { jobHealth, runHealth } from "./run-table.tsx";

/** What of a cluster's jobs is looked at. */
export interface JobsSearch {
  /** One job; absent: a list of them. */
  readonly job?: string;
  readonly state?: JobState;
  /** The list goes on behind this name. */
  readonly after?: string;
}

const states: readonly JobState[] = ["active", "paused", "inactive", "ended", "alarm"];
const pageSize = 100;

/** Reads the query of the page's address; what it does not know is left out. */
export function readJobsSearch(search: Record<string, unknown>): JobsSearch {
  const text = (name: string) => {
    const value = search[name];
    // A name such as 2026 is read as a number.
    return value === undefined || typeof value === "object" ? undefined : String(value);
  };
  const [job, after] = [text("job"), text("after")];
  const state = states.find((one) => one === search["state"]);
  return {
    ...(job === undefined ? {} : { job }),
    ...(state === undefined ? {} : { state }),
    ...(after === undefined ? {} : { after }),
  };
}

/** The jobs of a cluster, page by page, and who holds its leases. */
export function JobsPage(
  { cluster, search }: { readonly cluster: string; readonly search: JobsSearch },
) {
  const { data: jobs, error } = useQuery(jobsQuery(cluster, { ...search, limit: pageSize }));
  useEffect(() => {
    document.title = `Jobs of ${cluster} · Dragoman`;
  }, [cluster]);
  const alarms = jobs?.filter(({ state }) => state === "alarm").length ?? 0;
  return (
    <div className={styles["page"]}>
      <Panel
        id="jobs"
        title="Jobs"
        health={error !== null || alarms > 0 ? "bad" : jobs === undefined ? "unknown" : "good"}
        state={alarms > 0 && `${formatCount(alarms)} will never run`}
        aside={<StateChoice cluster={cluster} state={search.state} />}
      >
        {error !== null && <Problem error={error} />}
        {jobs !== undefined && <JobTable cluster={cluster} jobs={jobs} />}
        <Pages cluster={cluster} search={search} last={jobs?.[pageSize - 1]?.name} />
      </Panel>
      <LeasesPanel cluster={cluster} />
    </div>
  );
}

function JobTable(
  { cluster, jobs }: { readonly cluster: string; readonly jobs: readonly JobView[] },
) {
  if (jobs.length === 0) {
    return (
      <p className={styles["empty"]}>
        There are none here. A job is an object of kind{" "}
        <code>Job</code>: describe it in a file and bring it with <code>dragoman apply</code>.
      </p>
    );
  }
  const columns: readonly Column<JobView>[] = [
    {
      title: "Job",
      cell: ({ name }) => (
        <Link to="/clusters/$cluster/jobs" params={{ cluster }} search={{ job: name }}>{name}</Link>
      ),
    },
    { title: "Schedule", isWide: true, cell: ({ schedule }) => schedule },
    { title: "Service", isWide: true, cell: ({ service }) => service },
    {
      title: "State",
      isWide: true,
      cell: ({ state, reason }) => (
        <>
          <StateWord health={jobHealth[state]}>{state}</StateWord>
          {reason !== undefined && <div>{reason}</div>}
        </>
      ),
    },
    {
      title: "Next",
      cell: ({ nextAt }) => (nextAt === null ? notKnown : shortTimestamp(nextAt)),
    },
    { title: "Last run", cell: LastRun },
  ];
  return (
    <DataTable
      label="Jobs"
      columns={columns}
      rows={jobs}
      keyOf={({ name }) => name}
      healthOf={({ state }) => jobHealth[state]}
    />
  );
}

function LastRun({ lastRun }: JobView) {
  if (lastRun === null) return notKnown;
  return (
    <>
      <StateWord health={runHealth[lastRun.state]}>{lastRun.state}</StateWord>{" "}
      {shortTimestamp(lastRun.startedAt ?? lastRun.plannedAt)}
    </>
  );
}

function StateChoice(
  { cluster, state }: { readonly cluster: string; readonly state: JobState | undefined },
) {
  const navigate = useNavigate();
  return (
    <NativeSelect
      aria-label="Jobs in state"
      size="xs"
      value={state ?? ""}
      data={[
        { value: "", label: "in every state" },
        ...states.map((value) => ({ value, label: value })),
      ]}
      onChange={({ currentTarget: { value } }) => {
        const search = readJobsSearch({ state: value });
        void navigate({ to: "/clusters/$cluster/jobs", params: { cluster }, search });
      }}
    />
  );
}

function Pages(
  { cluster, search: { state, after }, last }: {
    readonly cluster: string;
    readonly search: JobsSearch;
    /** The last name of a page that is full, behind which there may be more. */
    readonly last: string | undefined;
  },
) {
  if (after === undefined && last === undefined) return null;
  const to = { to: "/clusters/$cluster/jobs", params: { cluster } } as const;
  const same = state === undefined ? {} : { state };
  return (
    <nav className={styles["pages"]} aria-label="Pages of jobs">
      {after !== undefined && <Link {...to} search={same}>First page</Link>}
      {last !== undefined && <Link {...to} search={{ ...same, after: last }}>Next page</Link>}
    </nav>
  );
}
