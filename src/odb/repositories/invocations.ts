import { randomBytes } from "node:crypto";
import { PlatformError } from "../../errors/platform-error.ts";
import { type ClusterContext, databaseTime, databaseTimeAfter, timeToCompare } from "../context.ts";
import type {
  InvocationDetail,
  InvocationQuery,
  InvocationRequest,
  InvocationRow,
  InvocationState,
} from "../durable-types.ts";
import { requireName } from "../names.ts";

/** Characters of an input's JSON. */
const inputMax = 1_000_000;
const retryMsMax = 3_600_000;
const delayMsMax = 10 * 366 * 86_400_000;

/** See InvocationStore.enqueueInvocation. */
export async function enqueueInvocation(
  cluster: ClusterContext,
  request: InvocationRequest,
): Promise<string> {
  const { service, cid, callback, delayMs, attemptsMax, retryMs } = request;
  requireName("The service name", service);
  requireName("The correlation id", cid);
  if (callback !== undefined) requireName("The name of the callback service", callback);
  requireWithin(service, "delayMs", delayMs, [0, delayMsMax]);
  requireWithin(service, "attemptsMax", attemptsMax, [1, 1_000]);
  requireWithin(service, "retryMs", retryMs, [0, Number.MAX_SAFE_INTEGER]);
  const id = createInvocationId();
  await cluster.db.insertInto("invocation").values({
    id,
    cluster_id: cluster.clusterId,
    service,
    input: renderInput(service, request.input),
    cid,
    state: "pending",
    attempts: 0,
    attempts_max: Math.round(attemptsMax),
    retry_ms: Math.round(Math.min(retryMs, retryMsMax)),
    losses: 0,
    due_at: databaseTimeAfter(cluster, delayMs),
    claim_epoch: 0,
    callback: callback ?? null,
    created_at: databaseTime(cluster),
  }).execute();
  return id;
}

/** See InvocationStore.listInvocations. */
export async function listInvocations(
  cluster: ClusterContext,
  { state, service, limit = 100 }: InvocationQuery,
): Promise<readonly InvocationRow[]> {
  const rows = await selectInvocations(cluster)
    .$if(state !== undefined, (query) => query.where("state", "=", state!))
    .$if(service !== undefined, (query) => query.where("service", "=", service!))
    .orderBy("id", "desc").limit(Math.min(Math.max(1, limit), 1_000)).execute();
  return rows.map(rowOf);
}

/** See InvocationStore.getInvocation. */
export async function getInvocation(
  cluster: ClusterContext,
  id: string,
): Promise<InvocationDetail> {
  const row = await selectInvocations(cluster).select(["input", "output"])
    .select("output_length as outputLength").where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw new PlatformError("INVOCATION_UNKNOWN", { id: id.slice(0, 100) });
  return {
    ...rowOf(row),
    input: JSON.parse(row.input),
    ...(row.output === null ? {} : { output: JSON.parse(row.output) }),
    outputLength: row.outputLength,
  };
}

/** See InvocationStore.retryInvocation. */
export async function retryInvocation(cluster: ClusterContext, id: string): Promise<void> {
  const { numUpdatedRows } = await updateInvocation(cluster, id).set({
    state: "pending",
    attempts: 0,
    losses: 0,
    due_at: databaseTime(cluster),
    finished_at: null,
  }).where("state", "in", ["pending", "failed", "cancelled"]).executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return;
  const { state } = await getInvocation(cluster, id);
  throw new PlatformError("INVOCATION_STATE", { id, state, action: "retried" });
}

/** See InvocationStore.cancelInvocation. */
export async function cancelInvocation(
  cluster: ClusterContext,
  id: string,
  { unbegun = false }: { readonly unbegun?: boolean } = {},
): Promise<boolean> {
  const { numUpdatedRows } = await updateInvocation(cluster, id)
    .set({ state: "cancelled", due_at: null, finished_at: databaseTime(cluster) })
    .where("state", "=", "pending").$if(unbegun, (query) => query.where("claim_epoch", "=", 0))
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** See InvocationStore.deleteInvocation. */
export async function deleteInvocation(cluster: ClusterContext, id: string): Promise<void> {
  const { numDeletedRows } = await cluster.db.deleteFrom("invocation")
    .where("cluster_id", "=", cluster.clusterId).where("id", "=", id)
    .where("state", "<>", "running").executeTakeFirstOrThrow();
  if (numDeletedRows > 0n) return;
  const { state } = await getInvocation(cluster, id);
  throw new PlatformError("INVOCATION_STATE", { id, state, action: "deleted" });
}

/** See InvocationStore.pruneInvocations. */
export async function pruneInvocations(
  cluster: ClusterContext,
  { doneMs, failedMs }: { readonly doneMs: number; readonly failedMs: number },
): Promise<number> {
  const before = (ms: number) => timeToCompare(databaseTimeAfter(cluster, -ms));
  let count = 0;
  for (const [states, ms] of [[["done", "cancelled"], doneMs], [["failed"], failedMs]] as const) {
    // By key, because not every database deletes up to a limit.
    const old = await cluster.db.selectFrom("invocation").select("id")
      .where("cluster_id", "=", cluster.clusterId).where("finished_at", "<=", before(ms))
      .where("state", "in", states).orderBy("finished_at").limit(500).execute();
    if (old.length === 0) continue;
    const { numDeletedRows } = await cluster.db.deleteFrom("invocation")
      .where("id", "in", old.map(({ id }) => id)).where("state", "in", states)
      .executeTakeFirstOrThrow();
    count += Number(numDeletedRows);
  }
  return count;
}

/** All that is listed of invocations; `where` it is the caller's to say. */
export function selectInvocations({ db, clusterId }: ClusterContext) {
  return db.selectFrom("invocation")
    .select(["id", "service", "state", "cid", "attempts", "losses", "callback"])
    .select(["attempts_max as attemptsMax", "retry_ms as retryMs", "due_at as dueAt"])
    .select(["claimed_by as claimedBy", "last_error as lastError"])
    .select(["created_at as createdAt", "finished_at as finishedAt"])
    .where("cluster_id", "=", clusterId);
}

/** A row with just what InvocationRow names. */
export function rowOf(
  row: Omit<InvocationRow, "state"> & { readonly state: string },
): InvocationRow {
  const { id, service, cid, attempts, attemptsMax, retryMs, losses } = row;
  const { dueAt, claimedBy, callback, lastError, createdAt, finishedAt } = row;
  const state = row.state as InvocationState; // only this folder writes it
  const times = { dueAt, createdAt, finishedAt };
  const counts = { attempts, attemptsMax, retryMs, losses };
  return { id, service, state, cid, ...counts, ...times, claimedBy, callback, lastError };
}

export function updateInvocation({ db, clusterId }: ClusterContext, id: string) {
  return db.updateTable("invocation").where("cluster_id", "=", clusterId).where("id", "=", id);
}

function renderInput(service: string, input: unknown): string {
  const text = JSON.stringify(input ?? null);
  if (text.length <= inputMax) return text;
  const reason = `its input has ${text.length} characters of JSON, and ${inputMax} is the limit`;
  throw new PlatformError("INVOCATION_INVALID", { service, reason });
}

function requireWithin(
  service: string,
  what: string,
  value: number,
  [min, max]: readonly [number, number],
): void {
  if (Number.isFinite(value) && value >= min && value <= max) return;
  const reason = `${what} is ${value}, and must be from ${min} to ${max}`;
  throw new PlatformError("INVOCATION_INVALID", { service, reason });
}

/** 32 characters that sort by time: 12 of milliseconds, 20 that are random. */
function createInvocationId(): string {
  return Date.now().toString(16).padStart(12, "0") + randomBytes(10).toString("hex");
}
