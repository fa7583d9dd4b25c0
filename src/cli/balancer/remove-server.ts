import { reasonOf } from "../../errors/platform-error.ts";
import type { ChangeResult } from "../../load-balancer/api.ts";
import type { Environment } from "../cluster/environment.ts";
import { withEveryAgent } from "./every-agent.ts";

interface Removal extends ChangeResult {
  /** Balancers that may have the server still. */
  readonly missed: readonly { readonly url: string; readonly reason: string }[];
}

/**
 * Takes a server out at every balancer of the environment: it registered with each by itself.
 * Throws CLI_NO_BALANCER, and the last one's error when none does it.
 */
export function removeFromBalancers(environment: Environment, server: string): Promise<Removal> {
  return withEveryAgent(environment, async (agents) => {
    const results: ChangeResult[] = [];
    const failures: { readonly url: string; readonly error: unknown }[] = [];
    // One after the other, so that only the first of them changes the configuration.
    for (const agent of agents) {
      try {
        results.push(await agent.removeServer(server));
      } catch (error) {
        failures.push({ url: agent.url, error });
      }
    }
    const last = results.at(-1);
    if (last === undefined) throw failures.at(-1)?.error;
    return {
      ...last,
      changed: results.some(({ changed }) => changed),
      missed: failures.map(({ url, error }) => ({ url, reason: reasonOf(error) })),
    };
  });
}

/** One line for each balancer that was missed. */
export function renderMissed({ missed }: Removal): readonly string[] {
  return missed.map(({ url, reason }) => `${url} may have it still: ${reason}`);
}
