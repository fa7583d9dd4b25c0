import { loadConfig, loadSecret } from "../../config/component.ts";
import { serverConfigSchema } from "../../config/schemas.ts";
import { isPlatformError } from "../../errors/platform-error.ts";
import type { Odb } from "../../odb/types.ts";
import { withOdb } from "../creation/odb-access.ts";
import { loadComponents } from "../lifecycle/component.ts";

/** Opens the ODB of a server, from its directory, for `use`. Throws CONFIG_*, ODB_*. */
export async function withServerOdb<T>(
  directory: string,
  use: (odb: Odb) => Promise<T>,
): Promise<T> {
  const { odb: { url } } = await loadConfig(directory, serverConfigSchema);
  const password = await loadSecret(directory, "odb-password");
  return await withOdb(password === undefined ? { url } : { url, password }, use);
}

/**
 * Throws ODB_OLDER_SCHEMA or ODB_NEWER_SCHEMA when servers that started with this version could not
 * use their ODB. What cannot be told from here is no reason: then the start itself will tell.
 */
export async function requireUsableSchema(directory: string): Promise<void> {
  try {
    const { components } = await loadComponents(directory);
    const server = components.find(({ kind }) => kind === "server");
    if (server !== undefined) await withServerOdb(server.directory, (odb) => odb.checkSchema());
  } catch (error) {
    const isOther = isPlatformError(error, "ODB_OLDER_SCHEMA") ||
      isPlatformError(error, "ODB_NEWER_SCHEMA");
    if (isOther) throw error;
  }
}
