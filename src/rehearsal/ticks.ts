import { poll } from "../lib/wait.ts";
import type { RunRow } from "../odb/job-types.ts";
import type { RehearsalCluster } from "./cluster.ts";
import { readExecutions } from "./history/executions.ts";
import { checkTicks, type TickHistory } from "./history/ticks.ts";
import type { Workload } from "./workload.ts";

/** How long runs whose time has come may take to end, lost ones and their next attempts included. */
const settleLimitMs = 90_000;

/** The newest runs of a job that the admin API gives at once. */
const runsMax = 1_000;

/**
 * Waits until every planned time up to now has ended, then checks all of them against what the
 * servers executed.
 */
export async function settleTicks(
  cluster: RehearsalCluster,
  { jobs, executions }: Workload,
): Promise<TickHistory> {
  const until = new Date().toISOString();
  const check = async () => {
    // Executions first: a run that is executed later than this has a row already, not yet the end.
    const { ticks } = await readExecutions(executions);
    return checkTicks(jobs, await readRuns(cluster, jobs), { executions: ticks, until });
  };
  const settled = await poll(async () => {
    const history = await check();
    return history.unfinished.length === 0 ? history : undefined;
  }, { timeoutMs: settleLimitMs, intervalMs: 500 });
  return settled ?? await check();
}

/** Waits until the last runs of these jobs, which are deleted by now, have ended. */
export async function awaitLastRuns(
  cluster: RehearsalCluster,
  { jobs }: Pick<Workload, "jobs">,
): Promise<void> {
  const names = new Set(jobs.map(({ name }) => name));
  await poll(async () => {
    const running = await cluster.ask((client) =>
      client.get<readonly RunRow[]>(`/v1/runs?state=running&limit=${runsMax}`)
    );
    return running.some(({ job }) => names.has(job)) ? undefined : true;
  }, { timeoutMs: settleLimitMs });
}

async function readRuns(
  cluster: RehearsalCluster,
  jobs: Workload["jobs"],
): Promise<readonly RunRow[]> {
  const runs: RunRow[] = [];
  // One after another: a hundred questions at once would be a load of their own.
  for (const { name } of jobs) {
    runs.push(
      ...await cluster.ask((client) =>
        client.get<readonly RunRow[]>(`/v1/runs?job=${encodeURIComponent(name)}&limit=${runsMax}`)
      ),
    );
  }
  return runs;
}
