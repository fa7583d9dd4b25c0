import type { BalancedServer, BalancerStatus } from "../../../src/load-balancer/api.ts";
import type {
  BalancedServerView,
  BalancerFacts,
  BalancerView,
  DependencySighting,
  DependencyView,
  Health,
} from "../../shared/overview.ts";
import { balancerLostSince, type History } from "./history.ts";
import { counterKey, type CounterSamples, rateOf } from "./rates.ts";
import type { BalancerReading, ServerReading } from "./readings.ts";

/** What the page shows of the balancer. */
export function viewBalancer(reading: BalancerReading, history: History): BalancerView {
  const { agentUrl, status, problem = "It gave no reason" } = reading;
  if (status === undefined) {
    const since = balancerLostSince(history, reading);
    return { health: "bad", agentUrl, problem, since, facts: null };
  }
  const servers = status.servers.map((server) => viewBalanced(server, status.pid, history.samples));
  const up = servers.filter((server) => server.state === "up").length;
  const health: Health = up === 0 ? "bad" : up < servers.length ? "warning" : "good";
  return {
    health,
    agentUrl,
    problem: null,
    since: status.startedAt,
    facts: balancerFacts(status, servers, history.samples),
  };
}

function balancerFacts(
  status: BalancerStatus,
  servers: readonly BalancedServerView[],
  samples: CounterSamples,
): BalancerFacts {
  const { name, engine, engineVersion, version, url, pid, requestsTotal, sessionsCurrent } = status;
  const requestsPerSecond = rateOf(samples, counterKey.balancer(pid));
  return {
    name,
    engine,
    engineVersion,
    version,
    url,
    pid,
    requestsTotal,
    requestsPerSecond,
    sessionsCurrent,
    servers,
  };
}

function viewBalanced(
  server: BalancedServer,
  pid: number,
  samples: CounterSamples,
): BalancedServerView {
  const health = {
    up: "good",
    starting: "warning",
    draining: "warning",
    maintenance: "warning",
    down: "bad",
  } as const;
  return {
    ...server,
    health: health[server.state],
    requestsPerSecond: rateOf(samples, counterKey.balanced(pid, server.name)),
  };
}

/** What the page shows of the ODB or the KVDB, put together from what each server says. */
export function viewDependency(
  servers: readonly ServerReading[],
  part: "odb" | "kvdb",
): DependencyView {
  const sightings = servers.map((server) => sightingOf(server, part));
  const described = servers.flatMap(({ status }) => (status === undefined ? [] : [status[part]]));
  const unique = (values: readonly string[]) =>
    [...new Set(values)].filter((value) => value !== "").join(", ");
  const condition = conditionOf(sightings);
  return {
    condition,
    health: healthOf[condition],
    engine: unique(described.map((one) => one.engine)),
    address: unique(described.map((one) => one.address)),
    servers: sightings,
  };
}

const healthOf = {
  up: "good",
  partly: "warning",
  down: "bad",
  none: "unknown",
  unknown: "unknown",
} as const satisfies Record<DependencyView["condition"], Health>;

function conditionOf(sightings: readonly DependencySighting[]): DependencyView["condition"] {
  const states = new Set(sightings.map((sighting) => sighting.state));
  if (states.has("down")) return states.has("up") ? "partly" : "down";
  if (states.has("up")) return "up";
  return states.has("none") ? "none" : "unknown";
}

function sightingOf({ name, status }: ServerReading, part: "odb" | "kvdb"): DependencySighting {
  if (status === undefined) return { server: name, state: "unknown", since: null, reason: null };
  const { state, since, reason = null } = status[part];
  return { server: name, state, since, reason };
}
