import { PlatformError } from "../../errors/platform-error.ts";
import {
  type ClusterContext,
  databaseTime,
  databaseTimeAfter,
  orUpdate,
  timeToCompare,
} from "../context.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import type { ServerReport, ServerRow, ServerState } from "../types.ts";

/** See ClusterStore.reportServer. */
export async function reportServer(
  cluster: ClusterContext,
  report: ServerReport,
  { replaces, lostAfterMs }: {
    readonly replaces?: string | undefined;
    readonly lostAfterMs: number;
  },
): Promise<boolean> {
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
  const lostBefore = timeToCompare(databaseTimeAfter(cluster, -lostAfterMs));
  const update = async () => {
    const { numUpdatedRows } = await updateServer(cluster, report.name).set(columns)
      .where(({ eb, or }) =>
        or([
          eb("incarnation", "in", [report.incarnation, replaces ?? report.incarnation]),
          eb("state", "=", "down"),
          eb("last_seen_at", "<", lostBefore),
        ])
      )
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  };
  // Not an upsert at once: MySQL would make every heartbeat wait for changes of the cluster.
  if (await update()) return true;
  await cluster.db.insertInto("server")
    .values({ cluster_id: cluster.clusterId, name: report.name, ...columns })
    .modifyEnd(orUpdate(cluster, ["cluster_id", "name"])).execute();
  // Of several who found no row, one has put its own there.
  return await update();
}

/** See ClusterStore.setServerState. */
export async function setServerState(
  cluster: ClusterContext,
  { name, incarnation }: Pick<ServerReport, "name" | "incarnation">,
  state: ServerState,
): Promise<boolean> {
  const { numUpdatedRows } = await updateServer(cluster, name)
    .set({ state, last_seen_at: databaseTime(cluster) })
    .where("incarnation", "=", incarnation).executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
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
