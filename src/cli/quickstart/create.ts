import { PlatformError } from "../../errors/platform-error.ts";
import { isPortFree } from "../../lib/ports.ts";
import type { CommandIo } from "../io.ts";
import { loadComponents } from "../lifecycle/component.ts";
import { describePortHolder } from "../lifecycle/port-holder.ts";
import { type AdminUser, creationSteps } from "./creation-steps.ts";
import {
  planQuickstart,
  portsOf,
  quickstartHost,
  type QuickstartOptions,
  type QuickstartPlan,
  urlOf,
} from "./plan.ts";
import { refuseUsedEnvironment, removeEnvironment } from "./remove.ts";
import { startAll } from "./start-all.ts";
import { runSteps, type Step } from "./steps.ts";

/** What `quickstart create -o json` prints. */
export interface QuickstartResult {
  readonly balancer: { readonly url: string };
  readonly webAdmin: { readonly url: string } & AdminUser;
  readonly servers: readonly {
    readonly name: string;
    readonly url: string;
    readonly adminUrl: string;
  }[];
  /** The environment's directory. */
  readonly environment: string;
}

export interface QuickstartRun {
  readonly io: CommandIo;
  /** Show a live list rather than lines. */
  readonly live: boolean;
  readonly start: boolean;
  readonly force: boolean;
}

/**
 * Makes an environment, and with `start` runs it. When making fails, nothing of it is left; when
 * starting fails, nothing runs, and the environment is left for another try.
 */
export async function createQuickstart(
  options: QuickstartOptions,
  { io, live, start, force }: QuickstartRun,
): Promise<QuickstartResult> {
  const plan = planQuickstart(options);
  await refuseUsedEnvironment(plan.directory, { force });
  if (start) await refuseTakenPorts(plan);
  if (force) await removeEnvironment(plan.directory);
  const { steps, admin } = creationSteps(plan);
  const result = resultOf(plan, admin);
  const interruption = new AbortController();
  void io.stopSignal().then((signal) =>
    interruption.abort(new PlatformError("CLI_INTERRUPTED", { signal }))
  );
  const progress = { made: false };
  const made: Step = { title: "Everything is in place", run: () => finish(progress) };
  const all = [...steps, made, ...(start ? [startStep(plan, io)] : [])];
  try {
    await runSteps(all, { io, live, signal: interruption.signal });
  } catch (error) {
    if (progress.made) tellMade(result, io);
    else await undo(plan, options, io);
    throw error;
  }
  return result;
}

function finish(progress: { made: boolean }): Promise<void> {
  progress.made = true;
  return Promise.resolve();
}

function startStep({ directory }: QuickstartPlan, io: CommandIo): Step {
  return {
    title: "Start and deploy the demo service",
    async run() {
      const began = performance.now();
      await startAll(await loadComponents(directory), { progress: {}, env: io.env });
      return `everything answers after ${((performance.now() - began) / 1000).toFixed(1)} s`;
    },
  };
}

async function refuseTakenPorts(plan: QuickstartPlan): Promise<void> {
  for (const { use, port } of portsOf(plan)) {
    if (await isPortFree(port, quickstartHost)) continue;
    const holder = await describePortHolder(port);
    throw new PlatformError("CLI_PORT_OFFSET", { use, port, holder });
  }
}

/** The environment exists, though it does not run: its password is told now or never. */
function tellMade({ webAdmin, environment }: QuickstartResult, { stderr }: CommandIo): void {
  stderr.write(
    `\nThe environment is complete in ${environment}, and nothing of it runs.\n` +
      `Web admin user ${webAdmin.username}, password (shown this once): ${webAdmin.password}\n` +
      `Try again with: dragoman quickstart start ${environment}\n\n`,
  );
}

async function undo(
  { directory, cluster }: QuickstartPlan,
  { odb }: QuickstartOptions,
  { stderr }: CommandIo,
): Promise<void> {
  await removeEnvironment(directory);
  const rest = odb === undefined
    ? ""
    : ` The ODB keeps its tables, and may keep the cluster "${cluster}".`;
  stderr.write(`\nWhat was made in ${directory} is removed again.${rest}\n\n`);
}

function resultOf(plan: QuickstartPlan, admin: AdminUser): QuickstartResult {
  return {
    balancer: { url: urlOf("http", plan.balancer.port) },
    webAdmin: { url: urlOf("http", plan.webAdminPort), ...admin },
    servers: plan.servers.map(({ name, httpPort, adminPort }) => ({
      name,
      url: urlOf("http", httpPort),
      adminUrl: urlOf("https", adminPort),
    })),
    environment: plan.directory,
  };
}
