import { canonicalJson } from "../../lib/canonical-json.ts";
import { keyBatches, rowBatches } from "../batches.ts";
import { type ClusterContext, orUpdate } from "../context.ts";
import type { ServiceDescription, ServiceRow } from "../types.ts";

/** By name. */
export async function listServices(
  { db, clusterId }: ClusterContext,
): Promise<readonly ServiceRow[]> {
  const rows = await db.selectFrom("service as s")
    .innerJoin("deployment as d", "d.id", "s.deployment_id")
    .innerJoin("bundle as b", "b.id", "d.bundle_id")
    .select(["s.name", "s.description", "s.input_schema", "s.output_schema"])
    .select(["d.file", "b.hash", "d.deployed_at as deployedAt"])
    .where("s.cluster_id", "=", clusterId).orderBy("s.name").execute();
  return rows.map(({ input_schema: input, output_schema: output, ...row }) => ({
    ...row,
    ...(input === null ? {} : { input: JSON.parse(input) }),
    ...(output === null ? {} : { output: JSON.parse(output) }),
  }));
}

/** A service that is in place, and the file it came from. */
export interface PlacedService {
  readonly id: number;
  readonly name: string;
  readonly file: string;
}

/** Every service of the cluster. */
export async function listPlacedServices(
  { db, clusterId }: ClusterContext,
): Promise<readonly PlacedService[]> {
  return await db.selectFrom("service as s").innerJoin("deployment as d", "d.id", "s.deployment_id")
    .select(["s.id", "s.name", "d.file"]).where("s.cluster_id", "=", clusterId).execute();
}

/** Adds services, or points those that are there at their new deployment; these keep their ids. */
export async function putServices(
  cluster: ClusterContext,
  services: readonly (ServiceDescription & { readonly deploymentId: number })[],
): Promise<void> {
  const rows = services.map(({ name, description, input, output, deploymentId }) => ({
    cluster_id: cluster.clusterId,
    name,
    deployment_id: deploymentId,
    description,
    input_schema: input === undefined ? null : canonicalJson(input),
    output_schema: output === undefined ? null : canonicalJson(output),
  }));
  const end = orUpdate(cluster, ["cluster_id", "name"], [
    "deployment_id",
    "description",
    "input_schema",
    "output_schema",
  ]);
  for (const batch of rowBatches(rows)) {
    await cluster.db.insertInto("service").values(batch).modifyEnd(end).execute();
  }
}

export async function deleteServices(
  { db }: ClusterContext,
  ids: readonly number[],
): Promise<void> {
  for (const batch of keyBatches(ids)) {
    await db.deleteFrom("service").where("id", "in", batch).execute();
  }
}
