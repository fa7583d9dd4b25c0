import { sql } from "kysely";
import { keyBatches } from "../../batches.ts";
import { type ClusterContext, databaseTimeAfter } from "../../context.ts";
import type { JobStore, RunClaim, RunOutcome, RunSettlement } from "../../job-types.ts";
import { write } from "../../transactions.ts";
import { readTime } from "../clock.ts";
import { parseTerms, updateRuns, updateRunsOf } from "./rows.ts";
import { endRuns, type RunEnd } from "./run-ends.ts";

/** See JobStore.renewRuns. */
export async function renewRuns(
  cluster: ClusterContext,
  claims: readonly RunClaim[],
  claimMs: number,
): Promise<Awaited<ReturnType<JobStore["renewRuns"]>>> {
  const taken: string[] = [];
  const cancelled: string[] = [];
  for (const batch of claimBatches(claims)) {
    await updateRuns(cluster).set({ wake_at: databaseTimeAfter(cluster, claimMs) })
      .where("state", "=", "running").where("claim_epoch", "=", batch.epoch)
      .where("id", "in", batch.ids).execute();
    const rows = await cluster.db.selectFrom("job_run")
      .select(["id", "cancel_reason as cancelReason"]).where("cluster_id", "=", cluster.clusterId)
      .where("id", "in", batch.ids).where("state", "=", "running")
      .where("claim_epoch", "=", batch.epoch).execute();
    const held = new Map(rows.map(({ id, cancelReason }) => [id, cancelReason]));
    for (const id of batch.ids) {
      const reason = held.get(id);
      if (reason === undefined) taken.push(id);
      else if (reason !== null) cancelled.push(id);
    }
  }
  return { taken, cancelled };
}

/** See JobStore.releaseRuns. */
export function releaseRuns(
  cluster: ClusterContext,
  claims: readonly RunClaim[],
): Promise<void> {
  if (claims.length === 0) return Promise.resolve();
  return write(cluster, async (inside) => {
    const rows = await lockRuns(inside, claims.map(({ id }) => id));
    const held = claims.flatMap(({ id, epoch }) => {
      const row = rows.get(id);
      return row?.epoch === epoch ? [row] : [];
    });
    for (const batch of keyBatches(held)) await giveBack(inside, batch);
    const now = held.length === 0 ? "" : await readTime(inside);
    await endRuns(inside, held.flatMap(endOfCancelled), now);
    return { commit: held.length > 0, value: undefined };
  });
}

async function giveBack(inside: ClusterContext, runs: readonly LockedRun[]): Promise<void> {
  // What waits for one goes on waiting: it is the first of its job to be due.
  await updateRunsOf(inside, runs).set(({ ref }) => ({
    state: "planned",
    // It was claimed in time: whoever takes it next does not call it missed.
    reason: "Given back by a server that could not begin it",
    wake_at: ref("due_at"),
    exclusive_job: null,
    server: null,
    incarnation: null,
    started_at: null,
  })).execute();
}

/** Nobody takes a run again that somebody wanted to end. */
function endOfCancelled({ id, job, cancelReason }: LockedRun): readonly RunEnd[] {
  if (cancelReason === null) return [];
  return [{ run: { id, job, isAwaited: true }, state: "skipped", reason: cancelReason }];
}

/** See JobStore.settleRuns. */
export function settleRuns(
  cluster: ClusterContext,
  outcomes: readonly { readonly claim: RunClaim; readonly outcome: RunOutcome }[],
): Promise<readonly RunSettlement[]> {
  if (outcomes.length === 0) return Promise.resolve([]);
  return write(cluster, async (inside) => {
    const rows = await lockRuns(inside, outcomes.map(({ claim }) => claim.id));
    const ends: RunEnd[] = [];
    const settlements = outcomes.map(({ claim, outcome }): RunSettlement => {
      const row = rows.get(claim.id);
      if (row === undefined || row.epoch !== claim.epoch) return "taken";
      rows.delete(claim.id); // named twice, the second one comes too late
      const end = endOf(row, outcome);
      ends.push(end);
      if (end.isRetried === true) return "retried";
      return outcome.ok ? "ok" : "failed";
    });
    const now = ends.length === 0 ? "" : await readTime(inside);
    await endRuns(inside, ends, now);
    return { commit: ends.length > 0, value: settlements };
  });
}

/** Those of the runs that are running. */
async function lockRuns(inside: ClusterContext, ids: readonly string[]) {
  const rows = new Map<string, LockedRun>();
  // In order, so that two who lock the same runs do not wait for each other.
  for (const batch of keyBatches(ids.toSorted())) {
    for (const row of await selectRunning(inside, batch)) rows.set(row.id, row);
  }
  return rows;
}

async function selectRunning(
  { db, clusterId, awaitTaken }: ClusterContext,
  ids: readonly string[],
) {
  return await db.selectFrom("job_run")
    .select(["id", "job", "attempt", "terms", "claim_epoch as epoch"])
    .select(["exclusive_job as exclusiveJob", "cancel_reason as cancelReason"])
    .where("cluster_id", "=", clusterId).where("id", "in", ids).where("state", "=", "running")
    .orderBy("id").modifyEnd(sql.raw(awaitTaken)).execute();
}

type LockedRun = Awaited<ReturnType<typeof selectRunning>>[number];

function endOf(row: LockedRun, outcome: RunOutcome): RunEnd {
  const run = { id: row.id, job: row.job, isAwaited: row.exclusiveJob !== null };
  if (outcome.ok) return { run, state: "ok", reason: null, output: outcome.output };
  const { cancelReason } = row;
  if (cancelReason !== null) return { run, state: "failed", reason: cancelReason };
  const { attemptsMax, retryLost } = parseTerms(row);
  const isLast = row.attempt >= attemptsMax;
  if (outcome.isLost === true) {
    return { run, state: "lost", reason: outcome.error, isRetried: retryLost && !isLast };
  }
  return { run, state: "failed", reason: outcome.error, isRetried: !isLast };
}

/** Claims of equal epochs together: nearly all have the first. */
function* claimBatches(claims: readonly RunClaim[]) {
  for (const [epoch, some] of Map.groupBy(claims, (claim) => claim.epoch)) {
    for (const ids of keyBatches(some.map(({ id }) => id))) yield { epoch, ids };
  }
}
