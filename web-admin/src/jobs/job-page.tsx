import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import type { JobDetail } from "../../../src/admin-api/api.ts";
import type { SessionView } from "../../shared/session.ts";
import { notKnown, shortTimestamp } from "../format.ts";
import { Fact, Facts, Panel, Reason } from "../ui/panel.tsx";
import { actOnJob, jobQuery, jobsKey } from "./jobs-api.ts";
import styles from "./jobs.module.css";
import { Problem } from "./problem.tsx";
import { jobHealth, runHealth, RunTable } from "./run-table.tsx";

interface JobProps {
  readonly cluster: string;
  readonly job: string;
  readonly session: SessionView;
}

/** One job: what it does next and did last, and what may be done with it. */
export function JobPage({ cluster, job, session }: JobProps) {
  const { data: detail, error } = useQuery(jobQuery(cluster, job));
  useEffect(() => {
    document.title = `${job} · Dragoman`;
  }, [job]);
  return (
    <div className={styles["page"]}>
      <p className={styles["back"]}>
        <Link to="/clusters/$cluster/jobs" params={{ cluster }} search={{}}>All jobs</Link>
      </p>
      <Panel
        id="job"
        title={job}
        health={error !== null ? "bad" : detail === undefined ? "unknown" : jobHealth[detail.state]}
        state={detail?.state}
        aside={detail !== undefined && (
          <Actions cluster={cluster} job={job} session={session} detail={detail} />
        )}
      >
        {error !== null && <Problem error={error} />}
        {detail !== undefined && <Description detail={detail} />}
      </Panel>
      {detail !== undefined && (
        <Panel
          id="runs"
          title="Runs"
          health={detail.lastRun === null ? "unknown" : runHealth[detail.lastRun.state]}
          state={detail.lastRun?.state}
          aside="newest first"
        >
          <RunTable runs={detail.runs} />
        </Panel>
      )}
    </div>
  );
}

function Description({ detail }: { readonly detail: JobDetail }) {
  const { explanation, schedule, service, paused, next, spec } = detail;
  return (
    <>
      <Reason>{explanation.sentence}.</Reason>
      <Facts>
        <Fact name="Schedule">{schedule}</Fact>
        <Fact name="Service">{service}</Fact>
        <Fact name="Overlap">{spec.overlap}</Fact>
        <Fact name="Missed times">{spec.missed}</Fact>
        <Fact name="Attempts">{spec.attemptsMax}</Fact>
        {paused !== null && <Fact name="Paused by" title={paused.at}>{paused.by}</Fact>}
        <Fact name="Next times">
          {next.length === 0 ? notKnown : (
            <ol className={styles["times"]} aria-label="Next times">
              {next.map((time) => (
                <li key={time}>
                  <time dateTime={time}>{shortTimestamp(time)}</time>
                </li>
              ))}
            </ol>
          )}
        </Fact>
      </Facts>
    </>
  );
}

function Actions(
  { detail, ...place }: JobProps & { readonly detail: JobDetail },
) {
  const queries = useQueryClient();
  const attempt = useMutation({
    mutationFn: (action: "run" | "pause" | "resume") => actOnJob({ ...place, action }),
    onSettled: () => queries.invalidateQueries({ queryKey: jobsKey(place.cluster) }),
  });
  const isPaused = detail.paused !== null;
  return (
    <span className={styles["actions"]}>
      <Button
        size="xs"
        loading={attempt.isPending && attempt.variables === "run"}
        onClick={() => attempt.mutate("run")}
      >
        Run now
      </Button>
      <Button
        size="xs"
        variant="default"
        loading={attempt.isPending && attempt.variables !== "run"}
        onClick={() => attempt.mutate(isPaused ? "resume" : "pause")}
      >
        {isPaused ? "Resume job" : "Pause job"}
      </Button>
      <span role="status" aria-live="polite">
        {attempt.error !== null && attempt.error.message}
      </span>
    </span>
  );
}
