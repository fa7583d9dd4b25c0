import type { LeaseHolder, LeaseProof } from "../../../src/odb/lease-types.ts";
import type {
  ClaimedRun,
  JobProgress,
  NewRun,
  Plan,
  RunTerms,
} from "../../../src/odb/job-types.ts";
import type { ClusterStore, ObjectChange } from "../../../src/odb/types.ts";

export const server1: LeaseHolder = { server: "server1", incarnation: "one" };
export const server2: LeaseHolder = { server: "server2", incarnation: "two" };

/** Terms of a run: one attempt, no overlap, a minute of grace. */
export const terms: RunTerms = {
  service: "billing.close",
  input: { region: "eu", note: "ä \u{1F680}" },
  overlap: "skip",
  missed: "once",
  graceMs: 60_000,
  timeoutMs: 30_000,
  attemptsMax: 1,
  retryMs: 0,
  retryLost: false,
};

/** The lease `scheduler`, held by `server1` for a minute. */
export async function holdScheduler(cluster: ClusterStore): Promise<LeaseProof> {
  const lease = await cluster.acquireLease({
    name: "scheduler",
    holder: server1,
    ttlMs: 60_000,
  });
  return { ...lease!, holder: server1 };
}

export interface RunTimes {
  /** When it is due, from the database's time; negative: it is due already. Default -1,000. */
  readonly inMs?: number;
  readonly job?: string;
  readonly terms?: Partial<RunTerms>;
}

/** A change that makes a job, or another one of it. */
export function put(job: string, spec: Record<string, unknown> = {}): ObjectChange {
  const whole = { service: "billing.close", every: "1s", active: true, ...spec };
  return { op: "put", kind: "Job", name: job, spec: whole, references: [] };
}

export function gone(job: string): ObjectChange {
  return { op: "delete", kind: "Job", name: job };
}

/** Changes objects, as `operator/ana`. */
export async function change(
  cluster: ClusterStore,
  ...changes: readonly ObjectChange[]
): Promise<void> {
  if (changes.length > 0) await cluster.change(changes, { by: "operator/ana" });
}

/** A planned run at a time of the database's clock. */
export async function newRun(cluster: ClusterStore, times: RunTimes = {}): Promise<NewRun> {
  return runAt(await cluster.databaseTime(), times);
}

function runAt(
  now: string,
  { inMs = -1_000, job = "close", terms: changed = {} }: RunTimes,
): NewRun {
  const at = new Date(Date.parse(now) + inMs).toISOString();
  return { job, plannedAt: at, dueAt: at, state: "planned", terms: { ...terms, ...changed } };
}

export function planOf(runs: readonly NewRun[], others: Partial<Plan> = {}): Plan {
  return { runs, progress: [], dropPlanned: [], ...others };
}

/** Plans runs as the holder of the lease, of jobs that are made when they are not there. */
export async function planRuns(
  cluster: ClusterStore,
  ...times: readonly RunTimes[]
): Promise<readonly NewRun[]> {
  const known = new Set((await cluster.listObjects("Job")).map(({ name }) => name));
  const names = new Set(times.map(({ job = "close" }) => job)).difference(known);
  await change(cluster, ...[...names].map((name) => put(name)));
  const proof = await holdScheduler(cluster);
  const now = await cluster.databaseTime();
  const runs = times.map((one) => runAt(now, one));
  await cluster.writePlan(proof, planOf(runs));
  return runs;
}

export function progressOf(job: string, changed: Partial<JobProgress> = {}): JobProgress {
  return {
    job,
    scheduleHash: "hash",
    plannedUntil: "2026-01-01T00:00:00.000Z",
    plannedCount: 1,
    nextAt: "2026-01-01T00:00:01.000Z",
    ...changed,
  };
}

/** Everything that one server gets when it asks once. */
export function claim(cluster: ClusterStore, holder = server1, countMax = 100, claimMs = 60_000) {
  return cluster.claimRuns({ holder, countMax, claimMs });
}

/** Says that a run went well. */
export function settleOk(cluster: ClusterStore, ...claims: readonly ClaimedRun[]) {
  return cluster.settleRuns(
    claims.map((one) => ({ claim: one, outcome: { ok: true, output: null } })),
  );
}

/** State and reason of a job's runs in the order of their times, then attempts. */
export async function statesOf(cluster: ClusterStore, job = "close") {
  const runs = await cluster.listRuns({ job, limit: 1_000 });
  return runs.toSorted((a, b) =>
    a.plannedAt < b.plannedAt ? -1 : a.plannedAt > b.plannedAt ? 1 : a.attempt - b.attempt
  )
    .map(({ state }) => state);
}
