import { PlatformError } from "../../errors/platform-error.ts";
import { poll } from "../../lib/wait.ts";
import { type Environment, loadEnvironmentAt, withAgent } from "../cluster/environment.ts";
import type { ComponentSet } from "../lifecycle/component.ts";
import { type SetProgress, startSet } from "../lifecycle/component-set.ts";
import { deployPending } from "./first-start.ts";

/** How long the balancer may take to find its servers well after they have started. */
const balancedWithinMs = 15_000;

/**
 * Starts a component, or an environment with all that belongs to it: its services are deployed if
 * they are still to be, and the balancer sends traffic to every server. Leaves nothing that it
 * started running when any of that fails.
 */
export async function startAll(
  set: ComponentSet,
  { progress, env }: {
    readonly progress: SetProgress;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): Promise<void> {
  await startSet(set, {
    progress,
    async afterwards() {
      if (set.environment === undefined) return;
      const environment = await loadEnvironmentAt(set.root);
      await deployPending(environment, env);
      await untilBalanced(environment, set);
    },
  });
}

async function untilBalanced(environment: Environment, set: ComponentSet): Promise<void> {
  const names = set.components.filter(({ kind }) => kind === "server").map(({ name }) => name);
  const hasBalancer = set.components.some(({ kind }) => kind === "load-balancer");
  if (!hasBalancer || names.length === 0) return;
  await withAgent(environment, async (agent) => {
    let waiting: readonly string[] = names;
    const done = await poll(async () => {
      const { servers } = await agent.status();
      const up = new Set(servers.filter(({ state }) => state === "up").map(({ name }) => name));
      waiting = names.filter((name) => !up.has(name));
      return waiting.length === 0 || undefined;
    }, { timeoutMs: balancedWithinMs, intervalMs: 100 });
    if (done) return;
    throw new PlatformError("CLI_NOT_BALANCED", { servers: waiting.join(", ") });
  });
}
