import { type Condition, findConditions } from "./conditions.ts";
import { addSamples, type CounterSamples } from "./rates.ts";
import type { BalancerReading, ClusterReadings } from "./readings.ts";

/** What must be remembered between looks. */
export interface History {
  readonly samples: CounterSamples;
  /** Id of a condition -> when it was first seen, ISO 8601. */
  readonly firstSeen: ReadonlyMap<string, string>;
}

export const emptyHistory: History = { samples: new Map(), firstSeen: new Map() };

/** The history after a look. Conditions that have passed are forgotten. */
export function remember(before: History, readings: ClusterReadings): History {
  const firstSeen = new Map<string, string>();
  for (const { id } of findConditions(readings)) {
    firstSeen.set(id, before.firstSeen.get(id) ?? readings.at);
  }
  return { samples: addSamples(before.samples, readings), firstSeen };
}

/** When a condition began: what the cluster says of it, else when it was first seen from here. */
export function beginningOf(
  { id, since }: Condition,
  { history, at }: { readonly history: History; readonly at: string },
): string {
  return since ?? history.firstSeen.get(id) ?? at;
}

/** Since when the agent has not answered, as far as this console has seen. */
export function balancerLostSince(history: History, { agentUrl }: BalancerReading): string | null {
  return history.firstSeen.get(`balancer-agent ${agentUrl}`) ?? null;
}
