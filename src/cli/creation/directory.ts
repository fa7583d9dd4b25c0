import { resolve } from "node:path";
import { isEmptyDirectory } from "../../config/component.ts";
import { PlatformError } from "../../errors/platform-error.ts";

/** Throws CLI_DIRECTORY_NOT_EMPTY unless the directory is new or empty. */
export async function refuseUsedDirectory(directory: string): Promise<void> {
  if (await isEmptyDirectory(directory)) return;
  throw new PlatformError("CLI_DIRECTORY_NOT_EMPTY", { directory: resolve(directory) });
}
