import { version } from "../../../src/config/component.ts";
import type {
  AttentionItem,
  BalancerView,
  Overview,
  ServerView,
  Verdict,
} from "../../shared/overview.ts";
import { findConditions, joinNames, newestRevision } from "./conditions.ts";
import { beginningOf, type History } from "./history.ts";
import { viewBalancer, viewDependency } from "./part-views.ts";
import type { ClusterReadings } from "./readings.ts";
import { viewServer } from "./server-view.ts";

/** Which cluster a summary is of. */
export interface ClusterLabel {
  readonly name: string;
  readonly environment: "development" | "production";
}

/**
 * Turns what a look at the cluster brought back into what the page shows. `history` is that after
 * `remember(history, readings)`: it knows since when things are as they are. Pure.
 */
export function summarise(
  readings: ClusterReadings,
  history: History,
  { name, environment }: ClusterLabel,
): Overview {
  const servers = readings.servers.map((server) => viewServer(server, { readings, history }));
  const balancer = readings.balancer === undefined
    ? null
    : viewBalancer(readings.balancer, history);
  const attention = findAttention(readings, history);
  return {
    cluster: name,
    environment,
    version,
    checkedAt: readings.at,
    verdict: judge(attention, servers, balancer),
    attention,
    revision: newestRevision(readings) ?? null,
    balancer,
    servers: servers.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })),
    odb: viewDependency(readings.servers, "odb"),
    kvdb: viewDependency(readings.servers, "kvdb"),
  };
}

function findAttention(readings: ClusterReadings, history: History): readonly AttentionItem[] {
  const nowMs = Date.parse(readings.at);
  return findConditions(readings)
    .filter(({ id, graceMs = 0 }) => {
      const seen = history.firstSeen.get(id) ?? readings.at;
      return nowMs - Date.parse(seen) >= graceMs;
    })
    .map((condition) => {
      const { id, health, what, why = null, target } = condition;
      const since = beginningOf(condition, { history, at: readings.at });
      return { id, health, what, why, since, target };
    })
    .toSorted((a, b) => (a.health === b.health ? 0 : a.health === "bad" ? -1 : 1));
}

function judge(
  attention: readonly AttentionItem[],
  servers: readonly ServerView[],
  balancer: BalancerView | null,
): Verdict {
  const { health: served, impact } = judgeService(servers, balancer);
  const [first, second, ...others] = attention.map((item) => item.what);
  if (first === undefined) {
    return { health: served, sentence: served === "good" ? "Everything runs" : impact, impact };
  }
  const isBad = served === "bad" || attention.some((item) => item.health === "bad");
  const count = attention.length;
  const named = second === undefined ? first : `${first}; ${second}`;
  const rest = others.length === 0 ? "" : `; and ${others.length} more`;
  const opening = count === 1 ? "1 thing needs attention" : `${count} things need attention`;
  return { health: isBad ? "bad" : "warning", sentence: `${opening}: ${named}${rest}`, impact };
}

/** Whether clients get answers, which is what people ask first. */
function judgeService(
  servers: readonly ServerView[],
  balancer: BalancerView | null,
): Pick<Verdict, "health" | "impact"> {
  if (balancer !== null && balancer.facts === null) {
    const impact = "Whether requests are served cannot be told: the balancer's agent is silent";
    return { health: "unknown", impact };
  }
  // Without a balancer of ours, a server that is up is one that whoever is in front can use.
  const serving = !balancer?.facts
    ? servers.filter((server) => server.condition === "up")
    : balancer.facts.servers.filter((server) => server.state === "up");
  if (serving.length === 0) return { health: "bad", impact: "No request is served" };
  const names = serving.map((server) => server.name);
  const who = names.length > 4 ? `${names.length} servers` : joinNames(names);
  return { health: "good", impact: `Requests are served by ${who}` };
}
