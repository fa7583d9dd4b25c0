import type { ClusterContext } from "../context.ts";
import type { BundleKey, DeploymentRow } from "../types.ts";

/** Newest first. */
export async function listDeployments(
  { db, clusterId }: ClusterContext,
): Promise<readonly DeploymentRow[]> {
  const rows = await db.selectFrom("deployment as d")
    .innerJoin("bundle as b", "b.id", "d.bundle_id")
    .leftJoin("deployed_file as f", "f.deployment_id", "d.id")
    .select(["d.file", "b.hash", "d.services", "f.deployment_id as current"])
    .select(["d.deployed_at as deployedAt", "d.deployed_by as deployedBy"])
    .where("d.cluster_id", "=", clusterId)
    .orderBy("d.revision", "desc").orderBy("d.file").execute();
  return rows.map((row) => ({
    ...row,
    current: row.current !== null,
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
