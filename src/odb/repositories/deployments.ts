import type { ClusterContext } from "../context.ts";
import type { BundleKey, DeploymentRow } from "../types.ts";

/** Every act of deploying, or those of one file; newest first. */
export async function listDeployments(
  { db, clusterId }: ClusterContext,
  file?: string,
): Promise<readonly DeploymentRow[]> {
  const rows = await db.selectFrom("deployment as d")
    .innerJoin("bundle as b", "b.id", "d.bundle_id")
    .leftJoin("deployed_file as f", "f.deployment_id", "d.id")
    .select(["d.file", "b.hash", "d.services", "f.deployment_id as current"])
    .select(["d.deployed_at as deployedAt", "d.deployed_by as deployedBy"])
    .select(["d.removed_at as removedAt", "d.removed_by as removedBy"])
    // The bundle's hash is all that is left of one whose code was pruned.
    .select(({ eb }) => eb("b.code", "<>", "").as("isKept"))
    .where("d.cluster_id", "=", clusterId)
    .$if(file !== undefined, (query) => query.where("d.file", "=", file!))
    .orderBy("d.revision", "desc").orderBy("d.file").execute();
  return rows.map((row) => ({
    ...row,
    current: row.current !== null,
    isKept: Boolean(row.isKept),
    services: JSON.parse(row.services), // a list of names, written by deploy.ts alone
  }));
}

/** What every server should run, by file. */
export async function listCurrentBundles(
  { db, clusterId }: ClusterContext,
): Promise<readonly BundleKey[]> {
  return await db.selectFrom("deployed_file as f")
    .innerJoin("deployment as d", "d.id", "f.deployment_id")
    .innerJoin("bundle as b", "b.id", "d.bundle_id")
    .select(["f.file", "b.hash"]).where("f.cluster_id", "=", clusterId).orderBy("f.file").execute();
}
