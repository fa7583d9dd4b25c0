import type { Component, ComponentSet } from "./component.ts";
import { runnableKinds } from "./component.ts";
import { startComponent, type StartOutcome } from "./start.ts";
import { stopComponent, type StopOutcome } from "./stop.ts";

/** Hears of each component as its turn comes and ends. */
export interface SetProgress {
  begins?(component: Component): void;
  ends?(component: Component, outcome: StartOutcome | StopOutcome): void;
}

/**
 * Starts components in order (KVDB, balancer, servers side by side, web admin), then does what is
 * still to be done once they run. When any of that fails, the components that this call had started
 * are stopped again, and the failure is thrown.
 */
export async function startSet(
  set: ComponentSet,
  { progress = {}, afterwards = () => Promise.resolve() }: {
    readonly progress?: SetProgress;
    readonly afterwards?: () => Promise<void>;
  } = {},
): Promise<void> {
  const started: Component[] = [];
  try {
    for (const stage of stages(set.components)) await startStage(stage, started, progress);
    await afterwards();
  } catch (error) {
    for (const component of started.toReversed()) await stopComponent(component);
    throw error;
  }
}

async function startStage(
  stage: readonly Component[],
  started: Component[],
  progress: SetProgress,
): Promise<void> {
  const results = await Promise.allSettled(stage.map(async (component) => {
    progress.begins?.(component);
    const outcome = await startComponent(component);
    if (outcome === "started") started.push(component);
    progress.ends?.(component, outcome);
  }));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Stops components in the reverse order; every one is tried, the first failure is thrown. */
export async function stopSet(set: ComponentSet, progress: SetProgress = {}): Promise<void> {
  let failure: unknown;
  for (const stage of stages(set.components).toReversed()) {
    const results = await Promise.allSettled(stage.map(async (component) => {
      progress.begins?.(component);
      const outcome = await stopComponent(component);
      progress.ends?.(component, outcome);
    }));
    failure ??= results.find((result) => result.status === "rejected")?.reason;
  }
  if (failure !== undefined) throw failure;
}

function stages(components: readonly Component[]): readonly Component[][] {
  return runnableKinds.map((kind) => components.filter((component) => component.kind === kind))
    .filter((stage) => stage.length > 0);
}
