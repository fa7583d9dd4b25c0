import { resolve } from "node:path";
import type { ServerConfig } from "../../config/schemas.ts";
import { reasonOf } from "../../errors/platform-error.ts";
import { delay } from "../../lib/wait.ts";
import type { AdminContext } from "../context.ts";
import { deploy } from "./deploy.ts";
import { deployDirectories } from "./directories.ts";
import { PickupDirectory } from "./pickup.ts";

/** What a server's start waits for at most: a cluster that is new should not be empty when up. */
const startWaitMs = 10_000;
const stopWaitMs = 3_000;

/**
 * Deploys a server's `services` directories and begins to watch its `pickup` directory; relative
 * paths are those of the server's own directory. Resolves with how to end it.
 */
export async function startDeploySources(
  context: AdminContext,
  { directory, config }: { readonly directory: string; readonly config: ServerConfig },
): Promise<() => Promise<void>> {
  const over = new AbortController();
  const services = config.services.map((path) => resolve(directory, path));
  const deploying = services.length === 0
    ? Promise.resolve()
    : deployDirectories(context, services, over);
  const waited = new AbortController();
  const limit = delay(startWaitMs, { signal: waited.signal }).catch(() => {});
  await Promise.race([deploying, limit]);
  waited.abort();
  const pickup = config.pickup === undefined ? undefined : new PickupDirectory({
    directory: resolve(directory, config.pickup),
    server: config.name,
    deploy: (file) => deploy(context, [file], `server/${config.name}`),
    logger: context.logger,
  });
  try {
    await pickup?.start();
  } catch (error) {
    context.logger.error("The pick-up directory cannot be used", {
      directory: config.pickup,
      reason: reasonOf(error),
    });
  }
  return async () => {
    over.abort();
    await pickup?.stop();
    // The signal ends its waiting; a deployment in the middle is all or nothing anyway.
    await Promise.race([deploying, delay(stopWaitMs)]);
  };
}
