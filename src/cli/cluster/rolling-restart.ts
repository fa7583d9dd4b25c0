import type { ServerStatus } from "../../admin-api/api.ts";
import { PlatformError } from "../../errors/platform-error.ts";
import { poll } from "../../lib/wait.ts";
import { type Counters, type ErrorRates, ErrorWatch } from "./error-watch.ts";

/** A cluster as a rolling restart needs it. */
export interface RestartableCluster {
  look(): Promise<ClusterLook>;
  /** Has a server begin to start anew; resolves to the incarnation that ends. */
  restart(server: string): Promise<string>;
}

export interface ClusterLook {
  /** The servers that did not leave, by name; a string says why one does not answer. */
  readonly servers: ReadonlyMap<string, ServerStatus | string>;
  /** Undefined: the cluster stands behind no balancer of ours. */
  readonly balancer: BalancerLook | undefined;
}

export interface BalancerLook {
  /** Servers that get traffic. */
  readonly up: ReadonlySet<string>;
  /** Requests that could not be handed over. */
  readonly counters: readonly Counters[];
}

export interface RollingOptions {
  /** How long one server may take, from the request to being back. */
  readonly limitMs: number;
  /** Errors per request by which the rate may rise. */
  readonly errorBound: number;
  /** Hears of every step. */
  readonly progress: (line: string) => void;
  /** Default 200. */
  readonly intervalMs?: number;
}

interface RestartedServer {
  readonly name: string;
  readonly tookMs: number;
  readonly version: string;
  readonly versionBefore: string;
}

export interface RollingResult extends ErrorRates {
  readonly servers: readonly RestartedServer[];
}

/**
 * Restarts every server of a cluster, one after the other. Each leaves the balancer and finishes
 * what it has before it ends; the next one's turn comes when it runs the newest revision and gets
 * traffic again. Throws CLUSTER_NOT_WHOLE when not every server gets traffic before a turn or after
 * the last one (what came back may fail later), CLUSTER_SERVER_MISSING when one does not come back
 * and CLUSTER_ERRORS_RISE when more requests fail than before; the servers whose turn has not come
 * are left as they are then.
 */
export async function rollingRestart(
  cluster: RestartableCluster,
  options: RollingOptions,
): Promise<RollingResult> {
  const first = await cluster.look();
  requireWhole(first, "nothing was restarted");
  const names = [...first.servers.keys()];
  const watch = new ErrorWatch(countersOf(first));
  const restarted: RestartedServer[] = [];
  for (const [index, name] of names.entries()) {
    const left = names.slice(index + 1);
    const turn = { name, left, watch, place: `${index + 1} of ${names.length}` };
    restarted.push(await restartOne(cluster, turn, options));
  }
  requireWhole(await cluster.look(), "every server was restarted");
  return { servers: restarted, ...watch.rates() };
}

interface Turn {
  readonly name: string;
  /** Those that come after it. */
  readonly left: readonly string[];
  readonly watch: ErrorWatch;
  readonly place: string;
}

async function restartOne(
  cluster: RestartableCluster,
  { name, left, watch, place }: Turn,
  { limitMs, errorBound, progress, intervalMs = 200 }: RollingOptions,
): Promise<RestartedServer> {
  const began = performance.now();
  const look = await cluster.look();
  requireWhole(look, `not restarted are ${[name, ...left].join(", ")}`);
  const before = look.servers.get(name);
  const old = await cluster.restart(name);
  let said = "";
  const say = (text: string) => {
    if (text !== said) progress(`${name} (${place}): ${text}`);
    said = text;
  };
  say("asked to restart");
  const back = await poll(async () => {
    const seen = await cluster.look();
    watch.look(countersOf(seen));
    if (watch.isAbove(errorBound)) throw errorsRise(watch.rates(), name, left);
    const waiting = waitingFor(name, old, seen);
    if (typeof waiting !== "string") return waiting;
    say(waiting);
    return undefined;
  }, { timeoutMs: limitMs, intervalMs });
  if (back === undefined) {
    throw new PlatformError("CLUSTER_SERVER_MISSING", {
      server: name,
      seconds: Math.round(limitMs / 1_000),
      reason: said,
      left: left.join(", ") || "none is left",
    });
  }
  const tookMs = Math.round(performance.now() - began);
  const versionBefore = typeof before === "object" ? before.version : back.version;
  const upgrade = versionBefore === back.version ? "" : `, ${versionBefore} -> ${back.version}`;
  say(`back in ${(tookMs / 1_000).toFixed(1)} s at revision ${back.revision}${upgrade}`);
  return { name, tookMs, version: back.version, versionBefore };
}

/** Its status once it is back; until then what is still to happen, for people. */
function waitingFor(
  name: string,
  old: string,
  { servers, balancer }: ClusterLook,
): ServerStatus | string {
  const status = servers.get(name);
  if (status === undefined || typeof status === "string") return "stopped, starting anew";
  if (status.incarnation === old) return "finishing what it has";
  if (status.state !== "up") return `new process is ${status.state}`;
  const answers = [...servers.values()].filter((one) => typeof one !== "string");
  const newest = Math.max(...answers.map((one) => one.clusterRevision));
  if (status.revision < newest) return `at revision ${status.revision} of ${newest}`;
  if (balancer !== undefined && !balancer.up.has(name)) return "up, not yet in the balancer";
  return status;
}

/** `done`: how far the restart is, for people. Throws CLUSTER_NOT_WHOLE. */
function requireWhole({ servers, balancer }: ClusterLook, done: string): void {
  const reasons = [...servers].flatMap(([name, status]) => {
    if (typeof status === "string") return [`${name} does not answer: ${status}`];
    if (status.state !== "up") return [`${name} is ${status.state}`];
    return balancer === undefined || balancer.up.has(name)
      ? []
      : [`the balancer sends no traffic to ${name}`];
  });
  if (servers.size === 0) reasons.push("the cluster has no server");
  if (reasons.length === 0) return;
  throw new PlatformError("CLUSTER_NOT_WHOLE", { reason: reasons.join("; "), done });
}

function countersOf({ servers, balancer }: ClusterLook): readonly Counters[] {
  const own = [...servers].flatMap(([name, status]) =>
    typeof status === "string" ? [] : status.workers.map((worker) => ({
      source: `${name}/${worker.pid}`,
      requests: worker.requestsTotal,
      errors: worker.errorsTotal,
    }))
  );
  return [...own, ...balancer?.counters ?? []];
}

function errorsRise(
  { requests, errors, before, since }: ErrorRates,
  name: string,
  left: readonly string[],
): PlatformError {
  const percent = (rate: number) => `${(rate * 100).toFixed(2)} %`;
  return new PlatformError("CLUSTER_ERRORS_RISE", {
    errors,
    requests,
    rate: percent(since),
    before: percent(before),
    done: left.length === 0
      ? `${name} was the last one`
      : `stopped at ${name}, not restarted are ${left.join(", ")}`,
  });
}
