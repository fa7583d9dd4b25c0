import { sql } from "kysely";
import { type ClusterContext, databaseTime, databaseTimeAfter, timeToCompare } from "../context.ts";
import type {
  ClaimedInvocation,
  ClaimOptions,
  InvocationClaim,
  InvocationOutcome,
  InvocationRow,
  Settlement,
} from "../durable-types.ts";
import { write } from "../transactions.ts";
import { enqueueInvocation, rowOf, selectInvocations, updateInvocation } from "./invocations.ts";

/** An invocation that takes its server down each time must not take down all of them for ever. */
const lossesMax = 3;
/** Characters of an output's JSON that are kept, and those that a callback is still given. */
const outputKeptMax = 64_000;
const outputPassedMax = 900_000;
const errorLengthMax = 4_000;
const retryMsMax = 3_600_000;
/** A callback is tried harder than what it reports: nobody is told when it fails. */
const callbackAttempts = { attemptsMax: 10, retryMs: 1_000 };

/** See InvocationStore.invocationDueInMs. */
export async function invocationDueInMs(cluster: ClusterContext): Promise<number | undefined> {
  const row = await cluster.db.selectFrom("invocation")
    .select(["due_at as dueAt", databaseTime(cluster).as("now")])
    .where("cluster_id", "=", cluster.clusterId).where("due_at", "is not", null)
    .orderBy("due_at").limit(1).executeTakeFirst();
  if (row === undefined || row.dueAt === null) return undefined;
  return Math.max(0, Date.parse(row.dueAt) - Date.parse(row.now));
}

interface Claims {
  readonly claimed: readonly ClaimedInvocation[];
  readonly failed: readonly InvocationRow[];
}

/** See InvocationStore.claimInvocations. */
export function claimInvocations(
  cluster: ClusterContext,
  { by, countMax, claimMs }: ClaimOptions,
): Promise<Claims> {
  return write(cluster, async (inside) => {
    const rows = await selectInvocations(inside).select(["input", "claim_epoch as epoch"])
      .where("due_at", "<=", timeToCompare(databaseTime(inside)))
      .orderBy("due_at").limit(countMax).modifyEnd(sql.raw(inside.skipTaken)).execute();
    const failed: InvocationRow[] = [];
    const claimed: ClaimedInvocation[] = [];
    for (const row of rows) {
      // It was running, and nobody has said how it ended: that attempt is made again.
      const lost = row.state === "running" ? 1 : 0;
      if (row.losses + lost > lossesMax) {
        failed.push(await failLost(inside, rowOf(row)));
        continue;
      }
      const { id, service, cid, attemptsMax } = row;
      const attempt = row.attempts + 1 - lost;
      const losses = row.losses + lost;
      const epoch = row.epoch + 1;
      await updateInvocation(inside, id).set({
        state: "running",
        attempts: attempt,
        losses,
        claimed_by: by,
        claim_epoch: epoch,
        due_at: databaseTimeAfter(inside, claimMs),
      }).execute();
      const input: unknown = JSON.parse(row.input);
      claimed.push({ id, epoch, service, input, cid, attempt, attemptsMax, losses });
    }
    return { commit: rows.length > 0, value: { claimed, failed } };
  });
}

/** See InvocationStore.renewInvocations. */
export async function renewInvocations(
  cluster: ClusterContext,
  claims: readonly InvocationClaim[],
  claimMs: number,
): Promise<void> {
  if (claims.length === 0) return;
  await cluster.db.updateTable("invocation").set({ due_at: databaseTimeAfter(cluster, claimMs) })
    .where("cluster_id", "=", cluster.clusterId).where("state", "=", "running")
    .where(({ eb, or, and }) =>
      or(claims.map(({ id, epoch }) => and([eb("id", "=", id), eb("claim_epoch", "=", epoch)])))
    ).execute();
}

/** See InvocationStore.releaseInvocation. */
export async function releaseInvocation(
  cluster: ClusterContext,
  { id, epoch }: InvocationClaim,
  inMs: number,
): Promise<void> {
  // It stays `running`: the next claim sees that this one came to no end.
  await updateInvocation(cluster, id).set({ due_at: databaseTimeAfter(cluster, inMs) })
    .where("claim_epoch", "=", epoch).where("state", "=", "running").execute();
}

/** See InvocationStore.settleInvocation. */
export function settleInvocation(
  cluster: ClusterContext,
  { id, epoch }: InvocationClaim,
  outcome: InvocationOutcome,
): Promise<Settlement> {
  return write<Settlement>(cluster, async (inside) => {
    // Locks the row; no longer ours means that somebody else runs it, or ran it.
    const { numUpdatedRows } = await updateInvocation(inside, id).set({ claim_epoch: epoch })
      .where("claim_epoch", "=", epoch).where("state", "=", "running").executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return { commit: false, value: { state: "taken" } };
    const row = rowOf(
      await selectInvocations(inside).where("id", "=", id).executeTakeFirstOrThrow(),
    );
    const isLast = outcome.ok || outcome.final || row.attempts >= row.attemptsMax;
    if (isLast) {
      await finish(inside, row, outcome);
      return { commit: true, value: { state: outcome.ok ? "done" : "failed" } };
    }
    const inMs = Math.min(row.retryMs * 2 ** Math.min(row.attempts - 1, 30), retryMsMax);
    await updateInvocation(inside, id).set({
      state: "pending",
      due_at: databaseTimeAfter(inside, inMs),
      last_error: errorText(outcome.error),
    }).execute();
    return { commit: true, value: { state: "retried", inMs } };
  });
}

// Not every database keeps NUL characters and halves of surrogate pairs.
function errorText(error: string): string {
  return error.slice(0, errorLengthMax).replaceAll("\0", " ").toWellFormed();
}

async function failLost(cluster: ClusterContext, row: InvocationRow): Promise<InvocationRow> {
  const error = `The worker or server that ran it went away ${row.losses + 1} times; ` +
    `the last was ${row.claimedBy}`;
  await finish(cluster, row, { ok: false, error, final: true });
  return { ...row, state: "failed", lastError: error };
}

async function finish(
  cluster: ClusterContext,
  { id, service, cid, attempts, callback }: InvocationRow,
  outcome: InvocationOutcome,
): Promise<void> {
  const error = outcome.ok ? null : errorText(outcome.error);
  const output = outcome.ok ? JSON.stringify(outcome.output ?? null) : null;
  await updateInvocation(cluster, id).set({
    state: outcome.ok ? "done" : "failed",
    due_at: null,
    finished_at: databaseTime(cluster),
    last_error: error,
    output: output !== null && output.length <= outputKeptMax ? output : null,
    output_length: output?.length ?? null,
  }).execute();
  if (callback === null) return;
  const passed = outcome.ok && output !== null && output.length <= outputPassedMax;
  const input = {
    id,
    service,
    ok: outcome.ok,
    ...(passed ? { output: outcome.output ?? null } : {}),
    ...(error === null ? {} : { error }),
    attempts,
    cid,
  };
  await enqueueInvocation(cluster, {
    service: callback,
    input,
    cid,
    delayMs: 0,
    ...callbackAttempts,
    callback: undefined,
  });
}
