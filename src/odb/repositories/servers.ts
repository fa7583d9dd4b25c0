import { PlatformError } from "../../errors/platform-error.ts";
import { type ClusterContext, databaseTime, orUpdate } from "../context.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { ServerReport, ServerRow, ServerState } from "../types.ts";

/** Adds or updates the row of a server, seen now. */
export async function reportServer(cluster: ClusterContext, report: ServerReport): Promise<void> {
  const columns = {
    state: report.state,
    url: report.url,
    admin_url: report.adminUrl,
    version: report.version,
    started_at: report.startedAt,
    revision: report.revision,
    state_hash: report.stateHash,
    failures: JSON.stringify(report.failures),
    incarnation: report.incarnation,
    details: JSON.stringify(report.details ?? null),
    last_seen_at: databaseTime(cluster),
  };
  // Not an upsert at once: MySQL would make every heartbeat wait for changes of the cluster.
  const { numUpdatedRows } = await updateServer(cluster, report.name).set(columns)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return;
  await cluster.db.insertInto("server")
    .values({ cluster_id: cluster.clusterId, name: report.name, ...columns })
    .modifyEnd(orUpdate(cluster, ["cluster_id", "name"], Object.keys(columns))).execute();
}

/** Throws ODB_NO_OBJECT. */
export async function setServerState(
  cluster: ClusterContext,
  name: string,
  state: ServerState,
): Promise<void> {
  const { numUpdatedRows } = await updateServer(cluster, name)
    .set({ state, last_seen_at: databaseTime(cluster) }).executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw await noServer(cluster, name);
}

/** By name; those that were not seen for `lostAfterMs` and did not leave are `lost`. */
export async function listServers(
  cluster: ClusterContext,
  lostAfterMs: number,
): Promise<readonly ServerRow[]> {
  const { db, clusterId } = cluster;
  const rows = await db.selectFrom("server").selectAll().select(databaseTime(cluster).as("now"))
    .where("cluster_id", "=", clusterId).orderBy("name").execute();
  return rows.map((row) => {
    const silentMs = Date.parse(row.now) - Date.parse(row.last_seen_at);
    const isLost = row.state !== "down" && silentMs > lostAfterMs;
    return {
      name: row.name,
      state: isLost ? "lost" : row.state as ServerState, // written from a ServerState alone
      url: row.url,
      adminUrl: row.admin_url,
      version: row.version,
      startedAt: row.started_at,
      revision: row.revision,
      stateHash: row.state_hash,
      failures: JSON.parse(row.failures), // written from a ServerReport alone
      incarnation: row.incarnation,
      details: JSON.parse(row.details ?? "null"),
      lastSeenAt: row.last_seen_at,
    };
  });
}

/** Throws ODB_NO_OBJECT. */
export async function deleteServer(cluster: ClusterContext, name: string): Promise<void> {
  const { numDeletedRows } = await cluster.db.deleteFrom("server")
    .where("cluster_id", "=", cluster.clusterId).where("name", "=", name)
    .executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) throw await noServer(cluster, name);
}

function updateServer({ db, clusterId }: ClusterContext, name: string) {
  return db.updateTable("server").where("cluster_id", "=", clusterId).where("name", "=", name);
}

async function noServer({ db, clusterId }: ClusterContext, name: string): Promise<PlatformError> {
  const rows = await db.selectFrom("server").select("name")
    .where("cluster_id", "=", clusterId).orderBy("name").execute();
  const nearest = didYouMean(name, rows.map((row) => row.name));
  return new PlatformError("ODB_NO_OBJECT", { kind: "Server", name, nearest }, {
    advice: "Correct the name; `dragoman server list` shows the cluster's servers",
  });
}
