import { isPlatformError } from "../../errors/platform-error.ts";
import type { JsonClient } from "../../mtls/client.ts";
import { type Environment, withAdmin } from "./environment.ts";

/**
 * As `withAdmin`, but a server that is cut off from the ODB is not the one to ask while there are
 * others. Throws ODB_UNREACHABLE when none can reach it.
 */
export async function askWithOdb<T>(
  environment: Environment,
  use: (client: JsonClient) => Promise<T>,
): Promise<T> {
  let cutOff: unknown;
  for (const adminUrl of environment.adminUrls) {
    try {
      return await withAdmin({ ...environment, adminUrls: [adminUrl] }, use);
    } catch (error) {
      const isOther = isPlatformError(error, "ODB_UNREACHABLE") ||
        isPlatformError(error, "CLI_NO_SERVER");
      if (!isOther) throw error;
      // That the ODB is away says more than that a server is.
      if (cutOff === undefined || isPlatformError(error, "ODB_UNREACHABLE")) cutOff = error;
    }
  }
  throw cutOff;
}
