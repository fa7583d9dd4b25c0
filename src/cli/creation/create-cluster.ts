import { access } from "node:fs/promises";
import { PlatformError } from "../../errors/platform-error.ts";
import { writeFileAtomic } from "../../lib/atomic-file.ts";
import { generateClusterKey, keyCheck, parseClusterKey } from "../../security/cluster-key.ts";
import { type OdbAccess, withOdb } from "./odb-access.ts";

/**
 * Adds a cluster to the ODB and writes its new key to a file (0600). The key is nowhere else: who
 * loses it loses the secrets in the ODB. Throws CLI_FILE_EXISTS, ODB_*; then nothing was made.
 */
export async function createCluster(
  odbAccess: OdbAccess,
  { name, keyFile }: { readonly name: string; readonly keyFile: string },
): Promise<void> {
  await refuseExisting(keyFile);
  const key = generateClusterKey();
  await withOdb(odbAccess, async (odb) => {
    await odb.checkSchema();
    await odb.createCluster(name, { keyCheck: keyCheck(parseClusterKey(key)) });
  });
  await writeFileAtomic(keyFile, key + "\n");
}

/** Throws CLI_FILE_EXISTS. */
export async function refuseExisting(file: string): Promise<void> {
  const exists = await access(file).then(() => true, () => false);
  if (exists) throw new PlatformError("CLI_FILE_EXISTS", { file });
}
