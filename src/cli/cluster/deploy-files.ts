import { resolve } from "node:path";
import type { DeployResult, ServerList } from "../../admin-api/api.ts";
import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import { type Environment, withAdmin } from "./environment.ts";

/**
 * Bundles source files of services and brings them to the cluster. Throws DEPLOY_* for a file that
 * cannot be bundled, with a line for each server; a rejected deployment is a result.
 */
export async function deployFiles(
  environment: Environment,
  files: readonly string[],
): Promise<DeployResult> {
  const { bundleFile, stopBundler } = await import("../../server/deploy/bundle.ts");
  try {
    const bundling = Promise.all(files.map((file) => bundleFile(resolve(file))));
    const bundles = await bundling.catch(async (error) => {
      throw await withOutcomes(environment, error);
    });
    return await withAdmin(
      environment,
      (client) => client.post("/v1/deployments", { files: bundles }),
    );
  } finally {
    await stopBundler();
  }
}

/** A file that cannot be bundled is offered to no server: says so for each of them. */
async function withOutcomes(environment: Environment, error: unknown): Promise<unknown> {
  if (!isPlatformError(error)) return error;
  const list = await withAdmin(environment, (client) => client.get<ServerList>("/v1/servers"))
    // The file is what is wrong: that the servers cannot be asked as well is not the news.
    .catch(() => undefined);
  const lines = (list?.servers ?? []).filter(({ state }) => state !== "down").map(({ name }) =>
    `${name}: not offered, it keeps what it runs`
  );
  const further: readonly unknown[] = Array.isArray(error.details) ? error.details : [];
  return PlatformError.fromJson({ ...error.toJSON(), details: [...further, ...lines] });
}
