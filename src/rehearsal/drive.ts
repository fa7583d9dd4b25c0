import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { delay } from "../lib/wait.ts";
import { readExecutions } from "./history/executions.ts";
import { checkRequests } from "./history/requests.ts";
import type { LoadOptions } from "./load/ledger.ts";
import { holds, type PromiseRow } from "./promises.ts";
import { requestRows, tickRows } from "./reconcile.ts";
import { type Dose, type Place, type Scenario, Stage } from "./stage.ts";
import { awaitLastRuns, settleTicks } from "./ticks.ts";
import { installWorkload, orderPath, type Workload } from "./workload.ts";

/** What one rehearsal found; what `--json` prints. */
export interface RehearsalReport {
  readonly scenario: string;
  readonly summary: string;
  readonly startedAt: string;
  /** Of load. */
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly servers: number;
  readonly odb: string;
  readonly faults: readonly {
    readonly what: string;
    /** Since the load began. */
    readonly atSeconds: number;
    /** Null for what happens in a moment. */
    readonly seconds: number | null;
  }[];
  readonly promises: readonly PromiseRow[];
  /** False as soon as one promise is broken. */
  readonly kept: boolean;
}

export interface Drive {
  readonly place: Place;
  readonly dose: Dose;
  readonly say: (text: string) => void;
  /** Whether what it made is taken out of the cluster again. */
  readonly cleanUp: boolean;
}

/** Of all requests: the others are POST. */
const getShare = 0.8;
/** Of the POSTs, where the scenario wants any. */
const keyedShare = 1 / 3;
const post = {
  method: "POST",
  body: JSON.stringify({ amount: 7, note: "A rehearsal's order" }),
} as const;
/** Beside one another, before the load begins. */
const warmUpLanes = 8;
/** How often each job of a rehearsal is due. */
const tickMs = 1_000;

/** Rehearses one scenario on a cluster that runs. Throws what keeps it from being rehearsed. */
export async function runScenario(
  scenario: Scenario,
  { place, dose, say, cleanUp }: Drive,
): Promise<RehearsalReport> {
  const { cluster, links } = place;
  const reason = scenario.unfit?.(place);
  if (reason !== undefined) {
    throw new PlatformError("REHEARSAL_OWN_CLUSTER", { scenario: scenario.name, reason });
  }
  await cluster.recovered();
  const workload = await installWorkload(cluster, { jobs: jobsOf(scenario, dose), tickMs });
  try {
    const stage = new Stage({ place, dose, workload, say });
    await warmUp(stage);
    const startedAt = new Date().toISOString();
    const began = performance.now();
    const own = await underLoad(stage, scenario);
    const seconds = (performance.now() - began) / 1_000;
    say("The load is over; what was executed is counted");
    const promises = [...own, ...await reconcile(stage, workload)];
    return {
      scenario: scenario.name,
      summary: scenario.summary,
      startedAt,
      seconds: Math.round(seconds * 10) / 10,
      requestsPerSecond: dose.requestsPerSecond,
      servers: cluster.servers.length,
      odb: new URL(cluster.servers[0]!.odbUrl).protocol.slice(0, -1),
      faults: stage.faults.map(({ what, atMs, untilMs }) => ({
        what,
        atSeconds: toSeconds(atMs - began),
        seconds: untilMs === undefined ? null : toSeconds(untilMs - atMs),
      })),
      promises,
      kept: promises.every(({ verdict }) => verdict !== "broken"),
    };
  } finally {
    await workload.remove({ fromCluster: cleanUp || links !== undefined });
  }
}

function jobsOf({ jobs, lastsForTicks }: Scenario, { ticks, durationMs }: Dose): number {
  if (ticks === undefined || jobs === 0 || lastsForTicks) return jobs;
  return Math.max(jobs, Math.ceil(ticks / (durationMs / tickMs)));
}

/**
 * Sends what a second of the load will send, each request once one before it has ended: code that
 * has never run is slow at first, and no fault is to blame for that.
 */
async function warmUp(stage: Stage): Promise<void> {
  const { requestsPerSecond } = stage.dose;
  const { signal } = new AbortController();
  const lanes = { signal, concurrency: warmUpLanes };
  const gets = Math.ceil(requestsPerSecond * getShare);
  await stage.load(`${orderPath}?amount=5`, { ...lanes, requests: gets });
  await stage.load(orderPath, { ...lanes, ...post, requests: Math.ceil(requestsPerSecond - gets) });
  stage.timedFromMs = performance.now();
}

async function underLoad(
  stage: Stage,
  scenario: Scenario,
): Promise<readonly PromiseRow[]> {
  const { dose: { durationMs } } = stage;
  const over = new AbortController();
  const began = performance.now();
  const load = startLoad(stage, scenario, over.signal);
  try {
    await delay(durationMs / 4);
    const rows = await scenario.rehearse(stage).catch(rowOfFailure);
    await delay(Math.max(durationMs / 4, durationMs - (performance.now() - began)));
    return rows;
  } finally {
    over.abort();
    await load;
  }
}

/** A cluster that does not become whole again has broken a promise; that is worth a table. */
function rowOfFailure(error: unknown): readonly PromiseRow[] {
  if (!isPlatformError(error, "REHEARSAL_NOT_RECOVERED")) throw error;
  return [holds("The cluster is whole again after the fault", false, error.message)];
}

function startLoad(
  stage: Stage,
  { withKeys }: Scenario,
  signal: AbortSignal,
): Promise<unknown> {
  const { requestsPerSecond } = stage.dose;
  const options = {
    signal,
    onEnd: ((entry, answer) => {
      if (answer !== undefined && entry.outcome === "ok") stage.onAnswer(entry, answer);
    }) satisfies LoadOptions["onEnd"],
  };
  const posts = { ...options, ...post };
  const postsPerSecond = requestsPerSecond * (1 - getShare);
  const keyedPerSecond = withKeys === true ? postsPerSecond * keyedShare : 0;
  return Promise.all([
    stage.load(`${orderPath}?amount=5`, {
      ...options,
      ratePerSecond: requestsPerSecond * getShare,
    }),
    stage.load(orderPath, { ...posts, ratePerSecond: postsPerSecond - keyedPerSecond }),
    ...(keyedPerSecond === 0
      ? []
      : [stage.load(orderPath, { ...posts, withKeys: true, ratePerSecond: keyedPerSecond })]),
  ]);
}

async function reconcile(stage: Stage, workload: Workload): Promise<readonly PromiseRow[]> {
  const { requests } = await readExecutions(workload.executions);
  const history = checkRequests(stage.entries, requests, stage);
  const rows = requestRows(history);
  if (workload.jobs.length === 0) return rows;
  const ticks = await settleTicks(stage.cluster, workload);
  await workload.endJobs();
  // The next rehearsal's services have the same names, and would note what is still to be run.
  await awaitLastRuns(stage.cluster, workload);
  return [...rows, ...tickRows(ticks)];
}

function toSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
