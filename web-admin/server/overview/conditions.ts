import type { ServerStatus } from "../../../src/admin-api/api.ts";
import type { ClusterReadings, ServerReading } from "./readings.ts";

/** A new revision takes a moment to arrive everywhere; only a lag that lasts is worth a word. */
const lagGraceMs = 5_000;
/** A worker that was replaced is mentioned for this long. */
const restartNoticeMs = 60_000;

/** Something that needs a human. */
export interface Condition {
  /** Stays the same while it lasts. */
  readonly id: string;
  readonly health: "warning" | "bad";
  readonly what: string;
  readonly why?: string;
  /** When it began, where the cluster knows that. */
  readonly since?: string;
  /** It is mentioned only once it has lasted this long. Default 0. */
  readonly graceMs?: number;
  /** Id of the page element that tells more, or the path of another page. */
  readonly target: string;
}

/** So many jobs that never run are named one by one. */
const alarmsShown = 5;

/** Ids of the page's elements, and other pages. */
export const targets = {
  balancer: "balancer",
  odb: "odb",
  kvdb: "kvdb",
  server: (name: string): string => `server-${name}`,
  jobs: (cluster: string, query: string): string => `/clusters/${cluster}/jobs?${query}`,
} as const;

/** Everything that is not as it should be, in no special order. */
export function findConditions(readings: ClusterReadings): readonly Condition[] {
  return [
    ...consoleConditions(readings),
    ...readings.servers.flatMap((server) => [
      ...presenceConditions(server),
      ...(server.status === undefined ? [] : [
        ...revisionConditions(server.status, readings),
        ...workerConditions(server.status, readings),
        ...failureConditions(server.status),
        ...diskConditions(server.status),
        ...alarmConditions(server.status),
      ]),
    ]),
    ...stateConditions(readings),
    ...dependencyConditions(readings, "odb"),
    ...dependencyConditions(readings, "kvdb"),
    ...balancerConditions(readings),
  ];
}

function consoleConditions({ problem, servers }: ClusterReadings): readonly Condition[] {
  if (problem !== undefined) {
    const what = "This console cannot look at the cluster";
    return [{ id: "console", health: "bad", what, why: problem, target: "servers" }];
  }
  if (servers.length > 0) return [];
  return [{ id: "no-servers", health: "bad", what: "No server is known", target: "servers" }];
}

function presenceConditions(server: ServerReading): readonly Condition[] {
  const { name, status, registered, problem } = server;
  const target = targets.server(name);
  if (status !== undefined) {
    if (status.state === "up") return [];
    const what = `${name} is ${status.state}`;
    return [{ id: `state ${name} ${status.state}`, health: "warning", what, target }];
  }
  if (registered?.state === "down") {
    const since = registered.lastSeenAt;
    return [{
      id: `stopped ${name}`,
      health: "warning",
      what: `${name} is stopped`,
      since,
      target,
    }];
  }
  return [{
    id: `unreachable ${name}`,
    health: "bad",
    what: `${name} does not answer`,
    ...(problem === undefined ? {} : { why: problem }),
    ...(registered?.state === "lost" ? { since: registered.lastSeenAt } : {}),
    target,
  }];
}

function revisionConditions(
  { name, revision }: ServerStatus,
  readings: ClusterReadings,
): readonly Condition[] {
  const newest = newestRevision(readings) ?? revision;
  if (revision >= newest) return [];
  return [{
    id: `behind ${name}`,
    health: "warning",
    what: `${name} is behind: it runs revision ${revision} of ${newest}`,
    graceMs: lagGraceMs,
    target: targets.server(name),
  }];
}

function workerConditions(
  { name, workers }: ServerStatus,
  { at }: ClusterReadings,
): readonly Condition[] {
  return workers.flatMap((worker): Condition[] => {
    const base = { health: "warning", target: targets.server(name) } as const;
    const who = `worker ${worker.id} of ${name}`;
    if (worker.state === "restarting") {
      const what = `${who} is restarting`;
      const why = `it has been replaced ${times(worker.restarts)} so far`;
      return [{ ...base, id: `restarting ${name} ${worker.id}`, what, why }];
    }
    const ageMs = Date.parse(at) - Date.parse(worker.startedAt);
    if (worker.restarts === 0 || ageMs > restartNoticeMs) return [];
    const why = `its process ended; it has been replaced ${times(worker.restarts)} so far`;
    const id = `replaced ${name} ${worker.id} ${worker.restarts}`;
    return [{ ...base, id, what: `${who} was replaced`, why, since: worker.startedAt }];
  });
}

function failureConditions({ name, failures }: ServerStatus): readonly Condition[] {
  return failures.map((failure): Condition => ({
    id: `failure ${name} ${failure.kind} ${failure.name}`,
    health: "bad",
    what: `${failure.kind} ${failure.name} failed on ${name}`,
    why: failure.error,
    target: targets.server(name),
  }));
}

function diskConditions({ name, disk }: ServerStatus): readonly Condition[] {
  if (disk.state === "up") return [];
  const what = `${name} cannot write to its disk`;
  const why = disk.reason === undefined ? {} : { why: disk.reason };
  const target = targets.server(name);
  return [{ id: `disk ${name}`, health: "warning", what, ...why, since: disk.since, target }];
}

/** Said by the server that plans jobs. */
function alarmConditions({ cluster, alarms }: ServerStatus): readonly Condition[] {
  if (alarms.length > alarmsShown) {
    const what = `${alarms.length} jobs are active and will never run`;
    return [{
      id: "alarms",
      health: "warning",
      what,
      target: targets.jobs(cluster, "state=alarm"),
    }];
  }
  return alarms.map(({ job, reason }): Condition => ({
    id: `alarm ${job}`,
    health: "warning",
    what: `Job ${job} is active and will never run`,
    why: reason,
    target: targets.jobs(cluster, `job=${encodeURIComponent(job)}`),
  }));
}

function stateConditions({ servers }: ClusterReadings): readonly Condition[] {
  const byRevision = new Map<number, Map<string, string[]>>();
  for (const { status } of servers) {
    if (status?.state !== "up") continue;
    const hashes = byRevision.get(status.revision) ?? new Map<string, string[]>();
    byRevision.set(status.revision, hashes);
    hashes.set(status.stateHash, [...(hashes.get(status.stateHash) ?? []), status.name]);
  }
  return [...byRevision].flatMap(([revision, hashes]): Condition[] => {
    if (hashes.size < 2) return [];
    const groups = [...hashes.values()].map((names) => joinNames(names));
    return [{
      id: `states ${revision}`,
      health: "warning",
      what: `Servers run different things at revision ${revision}`,
      why: `${groups.join(" / ")} have different state hashes`,
      graceMs: lagGraceMs,
      target: "servers",
    }];
  });
}

function dependencyConditions(
  { servers }: ClusterReadings,
  part: "odb" | "kvdb",
): readonly Condition[] {
  const answering = servers.flatMap(({ status }) => (status === undefined ? [] : [status]));
  const cut = answering.filter((status) => status[part].state === "down");
  const [first] = cut;
  if (first === undefined) return [];
  const name = part.toUpperCase();
  const isDown = cut.length === answering.length;
  const from = joinNames(cut.map((status) => status.name));
  const sinces = cut.map((status) => status[part].since).sort();
  return [{
    id: `${part} ${from}`,
    health: isDown ? "bad" : "warning",
    what: isDown ? `${name} is down` : `${name} cannot be reached from ${from}`,
    ...(first[part].reason === undefined ? {} : { why: first[part].reason }),
    ...(sinces[0] === undefined ? {} : { since: sinces[0] }),
    target: targets[part],
  }];
}

function balancerConditions({ balancer, servers }: ClusterReadings): readonly Condition[] {
  if (balancer === undefined) return [];
  const target = targets.balancer;
  const { status, problem, agentUrl } = balancer;
  if (status === undefined) {
    const what = "The balancer's agent does not answer";
    const why = problem === undefined ? {} : { why: problem };
    return [{ id: `balancer-agent ${agentUrl}`, health: "bad", what, ...why, target }];
  }
  const known = new Set(status.servers.map((server) => server.name));
  const live = new Map(servers.map((server) => [server.name, server.status?.state]));
  return [
    // A server that does not answer is mentioned already; the balancer's word adds nothing.
    ...status.servers.filter((server) => server.state === "down" && live.get(server.name) === "up")
      .map((server): Condition => ({
        id: `balanced ${server.name}`,
        health: "bad",
        what: `The balancer sends nothing to ${server.name}`,
        why: server.reason,
        since: server.since,
        graceMs: 2_000,
        target,
      })),
    ...[...live].filter(([name, state]) => state === "up" && !known.has(name))
      .map(([name]): Condition => ({
        id: `unbalanced ${name}`,
        health: "warning",
        what: `The balancer does not know ${name}`,
        graceMs: lagGraceMs,
        target,
      })),
  ];
}

/** The newest revision that the ODB or any server knows of. */
export function newestRevision({ revision, servers }: ClusterReadings): number | undefined {
  const known = servers.flatMap(({ status }) =>
    status === undefined ? [] : [status.revision, status.clusterRevision]
  );
  if (revision !== undefined) known.push(revision);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** `server1`, `server1 and server2`, `server1, server2 and server3`. */
export function joinNames(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
