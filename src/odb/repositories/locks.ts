import {
  type ClusterContext,
  databaseTime,
  databaseTimeAfter,
  orUpdate,
  timeToCompare,
} from "../context.ts";
import type { LockRequest } from "../durable-types.ts";
import { requireName } from "../names.ts";
import { write } from "../transactions.ts";

/** See LockStore.acquireLock. */
export async function acquireLock(
  cluster: ClusterContext,
  { name, owner, ttlMs }: LockRequest,
): Promise<number | undefined> {
  requireName("The lock name", name);
  requireName("The lock's owner", owner);
  // Whoever waits for a lock asks again and again: that must not make writers wait.
  const held = await selectLock(cluster, name)
    .where("owner", "<>", owner).where("expires_at", ">", timeNow(cluster)).executeTakeFirst();
  if (held !== undefined) return undefined;
  return await write(cluster, async (inside) => {
    await insertLock(inside, name);
    // Locks the row, so that of several who find it free one takes it.
    const { numUpdatedRows } = await updateLock(inside, name)
      .set(({ eb }) => ({ owner, token: eb("token", "+", 1), expires_at: end(inside, ttlMs) }))
      .where(({ eb, or }) => or([eb("owner", "is", null), eb("expires_at", "<=", timeNow(inside))]))
      .executeTakeFirstOrThrow();
    const row = await selectLock(inside, name).where("owner", "=", owner)
      .where("expires_at", ">", timeNow(inside)).executeTakeFirst();
    return { commit: numUpdatedRows > 0n, value: row?.token };
  });
}

/** See LockStore.renewLock. */
export async function renewLock(
  cluster: ClusterContext,
  { name, owner, ttlMs }: LockRequest,
): Promise<boolean> {
  const { numUpdatedRows } = await updateLock(cluster, name)
    .set({ expires_at: end(cluster, ttlMs) })
    .where("owner", "=", owner).where("expires_at", ">", timeNow(cluster))
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** See LockStore.releaseLock. */
export async function releaseLock(
  cluster: ClusterContext,
  { name, owner }: Pick<LockRequest, "name" | "owner">,
): Promise<boolean> {
  const { numUpdatedRows } = await updateLock(cluster, name)
    .set({ owner: null, expires_at: null })
    .where("owner", "=", owner).where("expires_at", ">", timeNow(cluster))
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

async function insertLock(cluster: ClusterContext, name: string): Promise<void> {
  await cluster.db.insertInto("cluster_lock")
    .values({ cluster_id: cluster.clusterId, name, owner: null, token: 0, expires_at: null })
    .modifyEnd(orUpdate(cluster, ["cluster_id", "name"])).execute();
}

function selectLock({ db, clusterId }: ClusterContext, name: string) {
  return db.selectFrom("cluster_lock").select("token")
    .where("cluster_id", "=", clusterId).where("name", "=", name);
}

function updateLock({ db, clusterId }: ClusterContext, name: string) {
  return db.updateTable("cluster_lock")
    .where("cluster_id", "=", clusterId).where("name", "=", name);
}

function timeNow(cluster: ClusterContext) {
  return timeToCompare(databaseTime(cluster));
}

function end(cluster: ClusterContext, ttlMs: number) {
  return databaseTimeAfter(cluster, ttlMs);
}
