import type { ServerFailure, WorkerStatus } from "../../src/admin-api/api.ts";
import type { BalancedServer } from "../../src/load-balancer/api.ts";

/** What the console's server tells its browser code. Times are ISO 8601. */

/** `unknown`: it cannot be told from here, as when nothing that would know answers. */
export type Health = "good" | "warning" | "bad" | "unknown";

/** One cluster at a glance: `GET /api/clusters/:name/overview` and each event of `/events`. */
export interface Overview {
  readonly cluster: string;
  readonly environment: "development" | "production";
  /** Version of the console. */
  readonly version: string;
  /** When the cluster was last looked at. */
  readonly checkedAt: string;
  readonly verdict: Verdict;
  /** What needs a human, worst first; empty when all is well. */
  readonly attention: readonly AttentionItem[];
  /** The newest revision that anybody knows of. */
  readonly revision: number | null;
  /** Null: none is configured. */
  readonly balancer: BalancerView | null;
  readonly servers: readonly ServerView[];
  readonly odb: DependencyView;
  readonly kvdb: DependencyView;
}

export interface Verdict {
  readonly health: Health;
  /** `Everything runs`, or `2 things need attention: ...` */
  readonly sentence: string;
  /** What it means for clients: `Requests are served by server1 and server2`. */
  readonly impact: string;
}

export interface AttentionItem {
  /** Stays the same while the condition lasts. */
  readonly id: string;
  readonly health: "warning" | "bad";
  /** `server2 does not answer` */
  readonly what: string;
  /** The reason, when one is known. */
  readonly why: string | null;
  readonly since: string;
  /** Id of the page element that tells more, or the path of another page. */
  readonly target: string;
}

export interface BalancerView {
  readonly health: Health;
  readonly agentUrl: string;
  /** Why the agent does not answer; null when it does. */
  readonly problem: string | null;
  readonly since: string | null;
  /** Null while the agent does not answer. */
  readonly facts: BalancerFacts | null;
}

export interface BalancerFacts {
  readonly name: string;
  readonly engine: "haproxy" | "embedded";
  readonly engineVersion: string;
  readonly version: string;
  readonly url: string;
  readonly pid: number;
  readonly requestsTotal: number;
  /** Null until two looks can be compared. */
  readonly requestsPerSecond: number | null;
  readonly sessionsCurrent: number;
  readonly servers: readonly BalancedServerView[];
}

export interface BalancedServerView extends BalancedServer {
  readonly health: Health;
  readonly requestsPerSecond: number | null;
}

/**
 * `stopped`: it left cleanly. `unreachable`: it should answer and does not. `lost`: neither does it
 * report to the ODB any more: it crashed, or its machine is gone.
 */
export type ServerCondition =
  | "up"
  | "joining"
  | "draining"
  | "stopped"
  | "unreachable"
  | "lost";

export interface ServerView {
  readonly name: string;
  readonly health: Health;
  readonly condition: ServerCondition;
  /** Why it is in that condition, when there is more to say. */
  readonly problem: string | null;
  /** When the condition began. */
  readonly since: string | null;
  readonly adminUrl: string;
  readonly url: string | null;
  readonly version: string | null;
  readonly revision: number | null;
  readonly step: "in step" | "behind" | "unknown";
  /** SHA-256 of what its workers run. */
  readonly stateHash: string | null;
  readonly requestsTotal: number;
  readonly requestsPerSecond: number | null;
  readonly errorsTotal: number;
  /** Of these, the requests that were refused because there were too many. */
  readonly refusedTotal: number;
  readonly inFlight: number;
  /** Null while the server itself does not answer. */
  readonly facts: ServerFacts | null;
}

export interface ServerFacts {
  readonly pid: number;
  readonly hostname: string;
  readonly startedAt: string;
  readonly workers: readonly WorkerView[];
  readonly failures: readonly ServerFailure[];
}

export interface WorkerView extends WorkerStatus {
  readonly health: Health;
  readonly requestsPerSecond: number | null;
}

/** ODB or KVDB, as the servers see it. `partly`: some servers reach it, some do not. */
export interface DependencyView {
  readonly health: Health;
  readonly condition: "up" | "partly" | "down" | "none" | "unknown";
  readonly engine: string;
  readonly address: string;
  readonly servers: readonly DependencySighting[];
}

export interface DependencySighting {
  readonly server: string;
  readonly state: "up" | "down" | "none" | "unknown";
  readonly since: string | null;
  readonly reason: string | null;
}
