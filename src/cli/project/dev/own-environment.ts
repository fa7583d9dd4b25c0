import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { isPlatformError, PlatformError } from "../../../errors/platform-error.ts";
import { isPortFree } from "../../../lib/ports.ts";
import { type Environment, loadEnvironmentAt } from "../../cluster/environment.ts";
import type { CommandIo } from "../../io.ts";
import { loadComponents } from "../../lifecycle/component.ts";
import { stopSet } from "../../lifecycle/component-set.ts";
import { dropPidFile, takePidFile } from "../../lifecycle/pid-file.ts";
import { createQuickstart, type QuickstartResult } from "../../quickstart/create.ts";
import { planQuickstart, portsOf, type QuickstartOptions } from "../../quickstart/plan.ts";
import { removeEnvironment } from "../../quickstart/remove.ts";
import { machineFolder } from "../editor-files.ts";

/** A cluster that runs for one `dragoman dev` and is gone afterwards. */
export interface OwnEnvironment {
  readonly environment: Environment;
  readonly quickstart: QuickstartResult;
  /** Stops everything and removes it. */
  close(): Promise<void>;
}

/**
 * Makes and starts a cluster under `.dragoman/dev` of a project, on the default ports where they
 * are free. What a killed run left behind is ended first. Throws CLI_DEV_RUNNING.
 */
export async function openOwnEnvironment(
  project: string,
  { io, servers }: { readonly io: CommandIo; readonly servers: number },
): Promise<OwnEnvironment> {
  const directory = join(project, machineFolder, "dev");
  const pidFile = join(project, machineFolder, "dev.pid");
  const owner = await takePidFile(pidFile);
  if (owner !== undefined) throw new PlatformError("CLI_DEV_RUNNING", { project, pid: owner.pid });
  try {
    await removeEnvironment(directory);
    await rm(directory, { recursive: true, force: true });
    const quickstart = await create({ directory, servers }, io);
    return {
      environment: await loadEnvironmentAt(directory),
      quickstart,
      async close() {
        try {
          await stopSet(await loadComponents(directory));
          await removeEnvironment(directory);
          await rm(directory, { recursive: true, force: true });
        } finally {
          await dropPidFile(pidFile);
        }
      },
    };
  } catch (error) {
    await dropPidFile(pidFile);
    throw error;
  }
}

async function create(
  { directory, servers }: { readonly directory: string; readonly servers: number },
  io: CommandIo,
): Promise<QuickstartResult> {
  const options = {
    directory,
    servers,
    workers: 1,
    odb: undefined,
    // Those that need no other program and start fastest.
    kvdb: "embedded",
    balancer: "embedded",
    demo: false,
  } as const;
  const portOffset = await findPortOffset(options);
  let steps = "";
  // Nobody waits for each of the steps here; they are shown when one of them fails.
  const quiet = { ...io, stderr: { ...io.stderr, write: (text: string) => void (steps += text) } };
  try {
    const run = { io: quiet, live: false, start: true, force: false };
    return await createQuickstart({ ...options, portOffset }, run);
  } catch (error) {
    if (!isPlatformError(error, "CLI_INTERRUPTED")) io.stderr.write(steps);
    await removeEnvironment(directory);
    await rmdir(directory).catch(() => {}); // not empty, or never made
    throw error;
  }
}

/** The first offset at which every port of the plan is free: 0, then steps of 50. */
async function findPortOffset(options: Omit<QuickstartOptions, "portOffset">): Promise<number> {
  const offsets = Array.from({ length: 200 }, (_, index) => index * 50);
  for (const portOffset of offsets) {
    const ports = portsOf(planQuickstart({ ...options, portOffset }));
    const free = await Promise.all(ports.map(({ port }) => isPortFree(port)));
    if (free.every(Boolean)) return portOffset;
  }
  throw new PlatformError("CLI_NO_FREE_PORTS", { tried: offsets.length });
}
