import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { isEmptyDirectory, loadMarker } from "../../config/component.ts";
import { isPlatformError, PlatformError } from "../../errors/platform-error.ts";
import { loadComponents } from "../lifecycle/component.ts";
import { stopSet } from "../lifecycle/component-set.ts";
import { setStatus } from "../lifecycle/state.ts";
import { removeDemo } from "./first-start.ts";

/** Names of what quickstart makes in a directory, `services/` apart. */
const ownNames = new RegExp(
  "^(ca|kvdb|load-balancer|server\\d+|web-admin|tls|secrets|state|log|run|config\\.yaml|" +
    "component\\.json|odb\\.db(-wal|-shm|-journal)?)$",
);

/**
 * Refuses a directory in which quickstart cannot make an environment. With `force`, a stopped
 * environment of ours is one in which it can. Throws CLI_DIRECTORY_NOT_EMPTY, CLI_NOT_OURS,
 * CLI_RUNNING.
 */
export async function refuseUsedEnvironment(
  directory: string,
  { force }: { readonly force: boolean },
): Promise<void> {
  if (await isEmptyDirectory(directory)) return;
  if (!force) {
    throw new PlatformError("CLI_DIRECTORY_NOT_EMPTY", { directory }, {
      advice: "Name a new or an empty directory, or add --force to replace a stopped environment",
    });
  }
  await refuseForeign(directory);
  await refuseRunning(directory);
}

/** Removes everything that quickstart made; the user's own files stay, and with them their folders. */
export async function removeEnvironment(directory: string): Promise<void> {
  if (await isEnvironment(directory)) await endOrphans(directory);
  const entries = await readdir(directory).catch(() => []);
  await removeDemo(directory);
  // The marker goes first: what is left of an interrupted removal is not taken for an environment.
  const order = entries.filter((name) => ownNames.test(name))
    .sort((a, b) => Number(b === "component.json") - Number(a === "component.json"));
  for (const name of order) await rm(join(directory, name), { recursive: true, force: true });
  for (const folder of [join(directory, "services"), directory]) {
    if (await isEmptyDirectory(folder)) await rmdir(folder).catch(ignoreMissing);
  }
}

/** Components that were killed may have left programs running, which nobody could find any more. */
async function endOrphans(directory: string): Promise<void> {
  try {
    await stopSet(await loadComponents(directory));
  } catch (error) {
    // An environment that is too broken to be read must still be removable.
    if (!isPlatformError(error)) throw error;
  }
}

/** Throws CLI_RUNNING, naming the components of the environment that run. */
export async function refuseRunning(directory: string): Promise<void> {
  if (!await isEnvironment(directory)) return;
  const { components } = await setStatus(await loadComponents(directory));
  const running = components.filter(({ pid }) => pid !== null).map(({ name }) => name);
  if (running.length === 0) return;
  throw new PlatformError("CLI_RUNNING", { directory, components: running.join(", ") });
}

async function refuseForeign(directory: string): Promise<void> {
  if (await isEnvironment(directory)) return;
  // What an interrupted creation leaves behind has no marker, and nothing but our own names.
  const names = await readdir(directory);
  const foreign = names.filter((name) => !ownNames.test(name) && name !== "services");
  if (foreign.length === 0) return;
  throw new PlatformError("CLI_NOT_OURS", { directory }, { details: foreign.slice(0, 5) });
}

async function isEnvironment(directory: string): Promise<boolean> {
  try {
    return (await loadMarker(directory)).component === "environment";
  } catch (error) {
    if (isPlatformError(error, "CONFIG_NOT_A_COMPONENT")) return false;
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
