import { PlatformError } from "../../errors/platform-error.ts";
import { type ClusterContext, orUpdate } from "../context.ts";
import { didYouMean } from "../../lib/nearest-name.ts";
import { requireName } from "../names.ts";
import { type Outcome, write } from "../transactions.ts";
import type { FileDeployment } from "../types.ts";
import { loadBundleId } from "./bundles.ts";
import { type ChangeStamp, raiseRevision } from "./clusters.ts";
import { listCurrentBundles } from "./deployments.ts";
import { serviceKind } from "./keys.ts";
import { deleteServices, listPlacedServices, type PlacedService, putServices } from "./services.ts";
import { requireUnused } from "./uses.ts";

type Deployed = { readonly revision: number };

/** See ClusterStore.deploy. */
export function deploy(
  cluster: ClusterContext,
  files: readonly FileDeployment[],
  by: string,
): Promise<Deployed> {
  for (const { file, services } of files) {
    requireName("The file name", file);
    for (const { name } of services) requireName("The service name", name);
  }
  return write(cluster, (inside) => deployInside(inside, files, by));
}

async function deployInside(
  cluster: ClusterContext,
  files: readonly FileDeployment[],
  by: string,
): Promise<Outcome<Deployed>> {
  const stamp = await raiseRevision(cluster, by);
  const current = new Map(
    (await listCurrentBundles(cluster)).map(({ file, hash }) => [file, hash]),
  );
  const changed = files.filter(({ file, hash }) => current.get(file) !== hash);
  if (changed.length === 0) return { commit: false, value: { revision: stamp.revision - 1 } };
  const changedFiles = new Set(changed.map(({ file }) => file));
  const placed = await listPlacedServices(cluster);
  const kept = placed.filter(({ file }) => !changedFiles.has(file));
  const after = requireOneOwner(kept, changed);
  const vanishing = placed.filter(({ name }) => !after.has(name));
  await requireUnusedServices(cluster, vanishing);
  for (const file of changed) await deployFile(cluster, file, stamp);
  await deleteServices(cluster, vanishing.map(({ id }) => id));
  return { commit: true, value: { revision: stamp.revision } };
}

/** The file of every service as it will be. Throws ODB_SERVICE_TAKEN. */
function requireOneOwner(
  kept: readonly PlacedService[],
  changed: readonly FileDeployment[],
): ReadonlyMap<string, string> {
  const owners = new Map(kept.map(({ name, file }) => [name, file]));
  for (const { file, services } of changed) {
    for (const { name } of services) {
      const otherFile = owners.get(name);
      if (otherFile !== undefined) {
        throw new PlatformError("ODB_SERVICE_TAKEN", { name, file, otherFile }, {
          details: { service: name, file, otherFile },
        });
      }
      owners.set(name, file);
    }
  }
  return owners;
}

async function deployFile(
  cluster: ClusterContext,
  { file, hash, services }: FileDeployment,
  { revision, at, by }: ChangeStamp,
): Promise<void> {
  const { db, clusterId } = cluster;
  await db.insertInto("deployment").values({
    cluster_id: clusterId,
    file,
    revision,
    bundle_id: await loadBundleId(cluster, { file, hash }),
    services: JSON.stringify(services.map(({ name }) => name).sort()),
    deployed_at: at,
    deployed_by: by,
    removed_at: null,
    removed_by: null,
  }).execute();
  const { id: deploymentId } = await db.selectFrom("deployment").select("id")
    .where("cluster_id", "=", clusterId).where("file", "=", file)
    .where("revision", "=", revision).executeTakeFirstOrThrow();
  await db.insertInto("deployed_file")
    .values({ cluster_id: clusterId, file, deployment_id: deploymentId })
    .modifyEnd(orUpdate(cluster, ["cluster_id", "file"], ["deployment_id"])).execute();
  await putServices(cluster, services.map((service) => ({ ...service, deploymentId })));
}

/** See ClusterStore.undeploy. */
export function undeploy(cluster: ClusterContext, file: string, by: string): Promise<Deployed> {
  return write(cluster, async (inside) => {
    const stamp = await raiseRevision(inside, by);
    const deploymentId = await loadCurrentDeployment(inside, file);
    const services = (await listPlacedServices(inside)).filter((service) => service.file === file);
    await requireUnusedServices(inside, services);
    await deleteServices(inside, services.map(({ id }) => id));
    const { db, clusterId } = inside;
    await db.deleteFrom("deployed_file")
      .where("cluster_id", "=", clusterId).where("file", "=", file).execute();
    await db.updateTable("deployment").set({ removed_at: stamp.at, removed_by: stamp.by })
      .where("id", "=", deploymentId).execute();
    return { commit: true, value: { revision: stamp.revision } };
  });
}

/** Throws ODB_NO_OBJECT for a file that is not deployed. */
async function loadCurrentDeployment(cluster: ClusterContext, file: string): Promise<number> {
  const row = await cluster.db.selectFrom("deployed_file").select("deployment_id")
    .where("cluster_id", "=", cluster.clusterId).where("file", "=", file).executeTakeFirst();
  if (row !== undefined) return row.deployment_id;
  const files = (await listCurrentBundles(cluster)).map((bundle) => bundle.file);
  const params = { kind: "Deployment", name: file, nearest: didYouMean(file, files) };
  throw new PlatformError("ODB_NO_OBJECT", params, {
    advice: "Correct the file's name; `dragoman deployment list` shows those that are deployed",
  });
}

function requireUnusedServices(cluster: ClusterContext, services: readonly PlacedService[]) {
  return requireUnused(cluster, services.map(({ id, name }) => ({ kind: serviceKind, name, id })));
}
