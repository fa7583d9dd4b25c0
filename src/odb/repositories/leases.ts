import { sql } from "kysely";
import { PlatformError } from "../../errors/platform-error.ts";
import {
  type ClusterContext,
  databaseTime,
  databaseTimeAfter,
  orUpdate,
  timeToCompare,
} from "../context.ts";
import type {
  HeldLease,
  LeaseEnd,
  LeaseHolder,
  LeaseProof,
  LeaseRequest,
  LeaseRow,
} from "../lease-types.ts";
import { requireName } from "../names.ts";
import { write } from "../transactions.ts";
import { readTime } from "./clock.ts";
import { endTerm, startTerm } from "./lease-terms.ts";

/** See LeaseStore.acquireLease. */
export async function acquireLease(
  cluster: ClusterContext,
  request: LeaseRequest,
): Promise<HeldLease | undefined> {
  requireRequest(request);
  const { name, holder, ttlMs } = request;
  // Candidates ask again and again: that must not make writers wait.
  const seen = await selectLease(cluster, name).executeTakeFirst();
  if (seen !== undefined && isHeld(seen) && !isHolder(seen, holder)) return undefined;
  return await write<HeldLease | undefined>(cluster, async (inside) => {
    await insertLease(inside, name);
    const row = await lockLease(inside, name);
    const isOurs = isHolder(row, holder);
    if (isHeld(row) && !isOurs) return { commit: false, value: undefined };
    const now = await readTime(inside);
    const expires_at = new Date(Date.parse(now) + ttlMs).toISOString();
    if (isHeld(row)) {
      await updateLease(inside, name).set({ expires_at }).execute();
      return { commit: true, value: { name, epoch: row.epoch } };
    }
    const epoch = row.epoch + 1;
    const { server, incarnation } = holder;
    await updateLease(inside, name)
      .set({ server, incarnation, epoch, acquired_at: now, expires_at }).execute();
    if (row.expiresAt !== null) {
      await endTerm(inside, { name, epoch: row.epoch, endedAt: row.expiresAt, end: "expired" });
    }
    await startTerm(inside, { name, epoch, holder, startedAt: now });
    return { commit: true, value: { name, epoch } };
  });
}

/** See LeaseStore.renewLeases. */
export async function renewLeases(
  cluster: ClusterContext,
  leases: readonly HeldLease[],
  { holder, ttlMs }: { readonly holder: LeaseHolder; readonly ttlMs: number },
): Promise<readonly string[]> {
  if (leases.length === 0) return [];
  const { numUpdatedRows } = await cluster.db.updateTable("lease")
    .set({ expires_at: databaseTimeAfter(cluster, ttlMs) })
    .where("cluster_id", "=", cluster.clusterId)
    .where("server", "=", holder.server).where("incarnation", "=", holder.incarnation)
    .where("expires_at", ">", timeToCompare(databaseTime(cluster)))
    .where(({ eb, or, and }) =>
      or(leases.map(({ name, epoch }) => and([eb("name", "=", name), eb("epoch", "=", epoch)])))
    ).executeTakeFirstOrThrow();
  if (numUpdatedRows === BigInt(leases.length)) return leases.map(({ name }) => name);
  const rows = await selectLeases(cluster).where("name", "in", leases.map(({ name }) => name))
    .execute();
  const held = new Map(
    rows.filter((row) => isHeld(row) && isHolder(row, holder)).map((row) => [row.name, row.epoch]),
  );
  return leases.filter(({ name, epoch }) => held.get(name) === epoch).map(({ name }) => name);
}

/** See LeaseStore.releaseLease. */
export function releaseLease(
  cluster: ClusterContext,
  proof: LeaseProof,
  end: Exclude<LeaseEnd, "expired">,
): Promise<boolean> {
  const { name, epoch } = proof;
  return write(cluster, async (inside) => {
    if (!await proves(inside, proof)) return { commit: false, value: false };
    await updateLease(inside, name).set({ expires_at: null }).execute();
    await endTerm(inside, { name, epoch, endedAt: databaseTime(inside), end });
    return { commit: true, value: true };
  });
}

/**
 * For the beginning of a transaction that only the holder of a lease may carry out: nobody else
 * gets the lease before its end. Throws LEASE_LOST.
 */
export async function requireLease(inside: ClusterContext, proof: LeaseProof): Promise<void> {
  if (await proves(inside, proof)) return;
  const { name, epoch, holder: { server } } = proof;
  throw new PlatformError("LEASE_LOST", { name, epoch, server });
}

/** See LeaseStore.listLeases. */
export async function listLeases(cluster: ClusterContext): Promise<readonly LeaseRow[]> {
  const rows = await selectLeases(cluster).orderBy("name").execute();
  return rows.map((row) => {
    const { name, server, incarnation, epoch, acquiredAt, expiresAt } = row;
    const state = expiresAt === null ? "free" : isHeld(row) ? "held" : "expired";
    return { name, server, incarnation, epoch, state, acquiredAt, expiresInMs: remainingMs(row) };
  });
}

interface LeaseTimes {
  readonly expiresAt: string | null;
  /** The database's time when it was read. */
  readonly now: string;
}

function remainingMs({ expiresAt, now }: LeaseTimes): number {
  return expiresAt === null ? 0 : Date.parse(expiresAt) - Date.parse(now);
}

function isHeld(row: LeaseTimes): boolean {
  return remainingMs(row) > 0;
}

function isHolder(row: LeaseHolder, holder: LeaseHolder): boolean {
  return row.server === holder.server && row.incarnation === holder.incarnation;
}

async function proves(inside: ClusterContext, { name, epoch, holder }: LeaseProof) {
  const row = await lockLease(inside, name);
  return isHeld(row) && isHolder(row, holder) && row.epoch === epoch;
}

/** Until the end of the transaction nobody else can change the lease. */
async function lockLease(inside: ClusterContext, name: string) {
  const row = await selectLease(inside, name).modifyEnd(sql.raw(inside.awaitTaken))
    .executeTakeFirst();
  if (row !== undefined) return row;
  return { name, server: "", incarnation: "", epoch: 0, acquiredAt: "", expiresAt: null, now: "" };
}

function selectLeases(cluster: ClusterContext) {
  return cluster.db.selectFrom("lease").select(["name", "server", "incarnation", "epoch"])
    .select(["acquired_at as acquiredAt", "expires_at as expiresAt"])
    .select(databaseTime(cluster).as("now")).where("cluster_id", "=", cluster.clusterId);
}

function selectLease(cluster: ClusterContext, name: string) {
  return selectLeases(cluster).where("name", "=", name);
}

function updateLease({ db, clusterId }: ClusterContext, name: string) {
  return db.updateTable("lease").where("cluster_id", "=", clusterId).where("name", "=", name);
}

async function insertLease(cluster: ClusterContext, name: string): Promise<void> {
  const nobody = { server: "", incarnation: "", epoch: 0, expires_at: null };
  await cluster.db.insertInto("lease")
    .values({
      cluster_id: cluster.clusterId,
      name,
      ...nobody,
      acquired_at: databaseTime(cluster),
    })
    .modifyEnd(orUpdate(cluster, ["cluster_id", "name"])).execute();
}

function requireRequest({ name, holder }: LeaseRequest): void {
  requireName("The lease name", name);
  requireName("The server name", holder.server);
  requireName("The incarnation", holder.incarnation);
}
