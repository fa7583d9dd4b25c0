import { type ClusterContext, databaseTimeAfter, timeToCompare } from "../context.ts";
import { write } from "../transactions.ts";
import { lockCluster } from "./clusters.ts";

/** Bundles on trial, or between a trial and a transaction, are younger than this. */
const trialMs = 3_600_000;

/** See ClusterStore.pruneBundles. */
export function pruneBundles(
  cluster: ClusterContext,
  file: string,
  keep: number,
): Promise<number> {
  return write(cluster, async (inside) => {
    const { db, clusterId } = inside;
    // One of the bundles may be about to become current again.
    await lockCluster(inside);
    const acts = await db.selectFrom("deployment").select("bundle_id as bundle")
      .where("cluster_id", "=", clusterId).where("file", "=", file)
      .orderBy("revision", "desc").execute();
    const deployed = [...new Set(acts.map(({ bundle }) => bundle))];
    const current = await db.selectFrom("deployed_file as f")
      .innerJoin("deployment as d", "d.id", "f.deployment_id").select("d.bundle_id as bundle")
      .where("f.cluster_id", "=", clusterId).where("f.file", "=", file).execute();
    const kept = new Set([...deployed.slice(0, keep), ...current.map(({ bundle }) => bundle)]);
    const before = timeToCompare(databaseTimeAfter(inside, -trialMs));
    const rows = await db.selectFrom("bundle")
      .select(({ eb }) => ["id", eb("created_at", "<=", before).as("isOld")])
      .where("cluster_id", "=", clusterId).where("file", "=", file)
      .where("code", "<>", "").execute();
    const wasCurrent = new Set(deployed);
    // Acts point at the rows of their bundles, so these lose their code and stay.
    const emptied = rows.filter(({ id }) => wasCurrent.has(id) && !kept.has(id));
    const deleted = rows.filter(({ id, isOld }) => !wasCurrent.has(id) && Boolean(isOld));
    for (const { id } of emptied) {
      await db.updateTable("bundle").set({ code: "", source_map: "" }).where("id", "=", id)
        .execute();
    }
    for (const { id } of deleted) await db.deleteFrom("bundle").where("id", "=", id).execute();
    const count = emptied.length + deleted.length;
    return { commit: count > 0, value: count };
  });
}
