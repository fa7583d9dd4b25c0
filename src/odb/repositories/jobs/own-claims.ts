import type { ClusterContext } from "../../context.ts";
import type { RunClaim } from "../../job-types.ts";
import type { LeaseHolder } from "../../lease-types.ts";

/** See JobStore.listClaims. */
export async function listClaims(
  { db, clusterId }: ClusterContext,
  { server, incarnation }: LeaseHolder,
): Promise<readonly RunClaim[]> {
  return await db.selectFrom("job_run").select(["id", "claim_epoch as epoch"])
    .where("cluster_id", "=", clusterId).where("state", "=", "running")
    .where("server", "=", server).where("incarnation", "=", incarnation).execute();
}
