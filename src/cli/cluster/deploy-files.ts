import { resolve } from "node:path";
import type { DeployResult } from "../../admin-api/api.ts";
import { type Environment, withAdmin } from "./environment.ts";

/**
 * Bundles source files of services and brings them to the cluster. Throws DEPLOY_* for a file that
 * cannot be bundled; a rejected deployment is a result.
 */
export async function deployFiles(
  environment: Environment,
  files: readonly string[],
): Promise<DeployResult> {
  const { bundleFile, stopBundler } = await import("../../server/deploy/bundle.ts");
  try {
    const bundles = await Promise.all(files.map((file) => bundleFile(resolve(file))));
    return await withAdmin(
      environment,
      (client) => client.post("/v1/deployments", { files: bundles }),
    );
  } finally {
    await stopBundler();
  }
}
