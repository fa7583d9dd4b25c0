import { sql } from "kysely";
import { isPlatformError } from "../../../errors/platform-error.ts";
import { databaseTime, timeToCompare } from "../../context.ts";
import type { ClusterContext } from "../../context.ts";
import type { LeaseHolder } from "../../lease-types.ts";
import type { ClaimedRun, JobStore, RunTrigger } from "../../job-types.ts";
import { write } from "../../transactions.ts";
import { type Admission, admit, type DueRun } from "./admission.ts";
import { loadFacts } from "./facts.ts";
import { parseTerms, runRowOf, selectRuns, storedText, textById, updateRunsOf } from "./rows.ts";
import { endRuns } from "./run-ends.ts";

type ClaimOptions = Parameters<JobStore["claimRuns"]>[0];
type Claims = Awaited<ReturnType<JobStore["claimRuns"]>>;

/** Runs that one transaction decides about. */
const batchMax = 1_000;
const nothing: Claims = { claimed: [], skipped: [], lost: [] };

/** See JobStore.runDueInMs. */
export async function runDueInMs(cluster: ClusterContext): Promise<number | undefined> {
  const row = await cluster.db.selectFrom("job_run")
    .select(["wake_at as wakeAt", databaseTime(cluster).as("now")])
    .where("cluster_id", "=", cluster.clusterId).where("wake_at", "is not", null)
    .orderBy("wake_at").limit(1).executeTakeFirst();
  if (row === undefined || row.wakeAt === null) return undefined;
  return Math.max(0, Date.parse(row.wakeAt) - Date.parse(row.now));
}

/** See JobStore.claimRuns. */
export async function claimRuns(cluster: ClusterContext, options: ClaimOptions): Promise<Claims> {
  if (options.countMax < 1) return nothing;
  try {
    return await write(cluster, (inside) => claimDue(inside, options));
  } catch (error) {
    // Another server has just begun a run of a job that bears one at a time.
    if (isPlatformError(error, "ODB_DUPLICATE")) return nothing;
    throw error;
  }
}

async function claimDue(inside: ClusterContext, options: ClaimOptions) {
  const rows = await selectDue(inside, options.countMax);
  if (rows.length === 0) return { commit: false, value: nothing };
  const { now } = rows[0]!;
  const lost = rows.filter(({ state }) => state === "running");
  const reasonOfLoss = ({ server }: DueRow) =>
    `Server "${server}" went away, or could not reach the ODB, before the run came to an end`;
  await endRuns(
    inside,
    lost.map((row) => ({
      run: { id: row.id, job: row.job, isAwaited: row.exclusiveJob !== null },
      state: "lost" as const,
      reason: reasonOfLoss(row),
      isRetried: isRetriedAfterLoss(row),
    })),
    now,
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const due = rows.filter(({ state }) => state === "planned").map(dueRunOf);
  const { server } = options.holder;
  const admission = admit(due, await loadFacts(inside, due, { now, server }));
  await carryOut(inside, admission, { now, ...options });
  const claimed = admission.claims.map(({ id }) => claimOf(byId.get(id)!));
  return {
    commit: true,
    value: {
      claimed,
      skipped: await listByIds(inside, admission.skips),
      lost: await listByIds(inside, lost),
    },
  };
}

/** Runs that somebody has to look at, and nobody else is looking at; now locked. */
async function selectDue(inside: ClusterContext, countMax: number) {
  return await selectRuns(inside)
    .select(["service", "input", "terms", "wake_at as wakeAt", "exclusive_job as exclusiveJob"])
    .select(["cancel_reason as cancelReason", databaseTime(inside).as("now")])
    .where("wake_at", "<=", timeToCompare(databaseTime(inside)))
    .orderBy("wake_at").orderBy("id").limit(Math.min(countMax, batchMax))
    .modifyEnd(sql.raw(inside.skipTaken)).execute();
}

type DueRow = Awaited<ReturnType<typeof selectDue>>[number];

function isRetriedAfterLoss(row: DueRow): boolean {
  const { retryLost, attemptsMax } = parseTerms(row);
  return retryLost && row.attempt < attemptsMax && row.cancelReason === null;
}

function dueRunOf(row: DueRow): DueRun {
  const { id, job, plannedAt, dueAt, trigger } = row;
  const wakeAt = row.wakeAt ?? dueAt; // never null in what is due
  const terms = parseTerms(row);
  const hasWaited = row.reason !== null;
  const isAgain = trigger === "retry" || row.epoch > 0;
  return { id, job, plannedAt, dueAt, wakeAt, trigger, hasWaited, isAgain, terms };
}

function claimOf(row: DueRow): ClaimedRun {
  const { id, job, service, plannedAt, attempt } = row;
  const { timeoutMs, attemptsMax } = parseTerms(row);
  const trigger = row.trigger as RunTrigger; // only this folder writes it
  const input: unknown = JSON.parse(row.input);
  const what = { id, epoch: row.epoch + 1, job, service, input };
  return { ...what, timeoutMs, plannedAt, trigger, attempt, attemptsMax };
}

async function carryOut(
  inside: ClusterContext,
  { claims, skips, waits, cancels }: Admission,
  { now, holder, claimMs }: ClaimOptions & { readonly now: string },
): Promise<void> {
  await endRuns(
    inside,
    skips.map(({ id, job, reason }) => ({
      // The job's next one may be waiting for it.
      run: { id, job, isAwaited: true },
      state: "skipped" as const,
      reason,
    })),
    now,
  );
  if (waits.length > 0) {
    const reason = textById(waits.map(({ id, reason }) => ({ id, text: storedText(reason) })));
    await updateRunsOf(inside, waits).set({ wake_at: null, reason }).execute();
  }
  if (cancels.length > 0) {
    const reason = textById(cancels.map(({ id, reason }) => ({ id, text: storedText(reason) })));
    await updateRunsOf(inside, cancels).set({ cancel_reason: reason })
      .where("cancel_reason", "is", null).execute();
  }
  await begin(inside, claims, { now, holder, claimMs });
}

async function begin(
  inside: ClusterContext,
  claims: readonly DueRun[],
  { now, holder, claimMs }: {
    readonly now: string;
    readonly holder: LeaseHolder;
    readonly claimMs: number;
  },
): Promise<void> {
  if (claims.length === 0) return;
  await updateRunsOf(inside, claims).set(({ eb }) => ({
    state: "running",
    server: holder.server,
    incarnation: holder.incarnation,
    reason: null,
    claim_epoch: eb("claim_epoch", "+", 1),
    started_at: now,
    wake_at: new Date(Date.parse(now) + claimMs).toISOString(),
    exclusive_job: sql<string | null>`case overlap when 'allow' then null else open_job end`,
  })).execute();
}

async function listByIds(inside: ClusterContext, runs: readonly { readonly id: string }[]) {
  if (runs.length === 0) return [];
  const rows = await selectRuns(inside).where("id", "in", runs.map(({ id }) => id))
    .orderBy("planned_at").orderBy("id").execute();
  return rows.map(runRowOf);
}
