import { readFile } from "node:fs/promises";
import { z } from "zod";
import { PlatformError, reasonOf } from "../errors/platform-error.ts";
import { writeFileAtomic } from "../lib/atomic-file.ts";
import { roles } from "../mtls/identity.ts";
import type { AuthorityPaths } from "./paths.ts";

const entrySchema = z.object({
  serial: z.string(),
  identity: z.object({ cluster: z.string(), role: z.enum(roles), name: z.string() }),
  hosts: z.array(z.string()),
  notBefore: z.iso.datetime(),
  notAfter: z.iso.datetime(),
  /** The certificate's file, relative to the authority's directory. */
  file: z.string(),
  /** Serial of the certificate that took this one's place. */
  replacedBy: z.string().nullable(),
});
const indexSchema = z.object({ certificates: z.array(entrySchema) });

/** One issued certificate as `ca-material/index.json` records it. */
export type IndexEntry = Readonly<z.infer<typeof entrySchema>>;

/** Every certificate in the order of issue. Throws CA_DAMAGED. */
export async function loadIndex(paths: AuthorityPaths): Promise<readonly IndexEntry[]> {
  try {
    return indexSchema.parse(JSON.parse(await readFile(paths.index, "utf8"))).certificates;
  } catch (error) {
    const reason = `${paths.index}: ${reasonOf(error)}`;
    throw new PlatformError("CA_DAMAGED", { directory: paths.root, reason }, { cause: error });
  }
}

/** Replaces the index. Only the holder of the authority's lock may call it. */
export async function saveIndex(
  paths: AuthorityPaths,
  certificates: readonly IndexEntry[],
): Promise<void> {
  await writeFileAtomic(paths.index, JSON.stringify({ certificates }, null, 2) + "\n");
}
