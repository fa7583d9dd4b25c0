import { PlatformError } from "../../errors/platform-error.ts";
import { sha256Hex } from "../../lib/canonical-json.ts";
import { type ClusterContext, databaseTime, orUpdate } from "../context.ts";
import { requireName } from "../names.ts";
import type { Bundle, BundleKey, NewBundle } from "../types.ts";

/** See ClusterStore.storeBundle. Throws ODB_BUNDLE_HASH when the hash is not that of the code. */
export async function storeBundle(
  cluster: ClusterContext,
  { file, hash, code, sourceMap }: NewBundle,
  by: string,
): Promise<void> {
  requireName("The file name", file);
  const found = sha256Hex(code);
  if (found !== hash) throw new PlatformError("ODB_BUNDLE_HASH", { file, found, wanted: hash });
  await cluster.db.insertInto("bundle").values({
    cluster_id: cluster.clusterId,
    file,
    hash,
    code,
    source_map: sourceMap,
    created_at: databaseTime(cluster),
    created_by: by,
  }).modifyEnd(orUpdate(cluster, ["cluster_id", "hash", "file"], ["code", "source_map"])).execute();
}

/** The code of a hash is the same in whichever file it came; the first file is named. */
export async function loadBundle(
  { db, clusterId }: ClusterContext,
  hash: string,
): Promise<Bundle | undefined> {
  return await db.selectFrom("bundle")
    .select(["file", "hash", "code", "source_map as sourceMap"])
    .select(["created_at as createdAt", "created_by as createdBy"])
    .where("cluster_id", "=", clusterId).where("hash", "=", hash).where("code", "<>", "")
    .orderBy("id").limit(1).executeTakeFirst();
}

/** The row id of a stored bundle. Throws ODB_NO_BUNDLE. */
export async function loadBundleId(
  { db, clusterId }: ClusterContext,
  { file, hash }: BundleKey,
): Promise<number> {
  const row = await db.selectFrom("bundle").select("id")
    .where("cluster_id", "=", clusterId).where("hash", "=", hash).where("file", "=", file)
    .where("code", "<>", "")
    .executeTakeFirst();
  if (row === undefined) throw new PlatformError("ODB_NO_BUNDLE", { file, hash });
  return row.id;
}
