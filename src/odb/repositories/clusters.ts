import type { SelectQueryBuilder } from "kysely";
import { PlatformError } from "../../errors/platform-error.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import { type ClusterContext, databaseTime, type OdbContext } from "../context.ts";
import type { OdbDatabase, Tables } from "../schema.ts";
import type { ClusterRow } from "../types.ts";

/** Throws ODB_DUPLICATE when there is a cluster of that name. */
export async function insertCluster(
  context: OdbContext,
  name: string,
  keyCheck: string,
): Promise<void> {
  await context.db.insertInto("cluster").values({
    name,
    revision: 0,
    key_check: keyCheck,
    created_at: databaseTime(context),
  }).execute();
}

export async function listClusters(db: OdbDatabase): Promise<readonly ClusterRow[]> {
  const rows = await selectClusters(db).orderBy("name").execute();
  return rows.map(({ id: _, ...row }) => row);
}

/** A cluster with its row id. Throws ODB_NO_CLUSTER with the nearest name. */
export async function loadCluster(
  db: OdbDatabase,
  name: string,
): Promise<{ readonly id: number; readonly row: ClusterRow }> {
  const found = await selectClusters(db).where("name", "=", name).executeTakeFirst();
  if (found === undefined) throw await noCluster(db, name);
  const { id, ...row } = found;
  return { id, row };
}

/** The revision now. Throws ODB_NO_CLUSTER when the cluster has gone. */
export async function loadRevision({ db, clusterId, clusterName }: ClusterContext) {
  const row = await db.selectFrom("cluster").select("revision").where("id", "=", clusterId)
    .executeTakeFirst();
  if (row === undefined) throw await noCluster(db, clusterName);
  return row.revision;
}

/** What one act of changing a cluster is stamped with. */
export interface ChangeStamp {
  /** The cluster's revision after the change. */
  readonly revision: number;
  /** The database's time. */
  readonly at: string;
  readonly by: string;
}

/**
 * Raises the revision. First in every transaction that changes a cluster: the row stays locked
 * until its end, so changes of one cluster happen one after the other.
 */
export async function raiseRevision(cluster: ClusterContext, by: string): Promise<ChangeStamp> {
  const { db, clusterId, clusterName } = cluster;
  await db.updateTable("cluster").set(({ eb }) => ({ revision: eb("revision", "+", 1) }))
    .where("id", "=", clusterId).execute();
  const row = await db.selectFrom("cluster").select(["revision", databaseTime(cluster).as("at")])
    .where("id", "=", clusterId).executeTakeFirst();
  if (row === undefined) throw await noCluster(db, clusterName);
  return { ...row, by };
}

/** Keeps changes out until the end of the transaction, as each of them does with the others. */
export async function lockCluster({ db, clusterId }: ClusterContext): Promise<void> {
  await db.updateTable("cluster").set(({ ref }) => ({ revision: ref("revision") }))
    .where("id", "=", clusterId).execute();
}

function selectClusters(
  db: OdbDatabase,
): SelectQueryBuilder<Tables, "cluster", ClusterRow & { readonly id: number }> {
  return db.selectFrom("cluster")
    .select(["id", "name", "revision", "created_at as createdAt", "key_check as keyCheck"]);
}

async function noCluster(db: OdbDatabase, name: string): Promise<PlatformError> {
  const rows = await db.selectFrom("cluster").select("name").orderBy("name").execute();
  const nearest = didYouMean(name, rows.map((row) => row.name));
  return new PlatformError("ODB_NO_CLUSTER", { name, nearest });
}
