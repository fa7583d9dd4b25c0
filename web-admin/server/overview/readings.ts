import type { RegisteredServer, ServerStatus } from "../../../src/admin-api/api.ts";
import type { BalancerStatus } from "../../../src/load-balancer/api.ts";

/** What one look at a cluster brought back: only facts, no judgement. */
export interface ClusterReadings {
  /** ISO 8601, by the console's clock. */
  readonly at: string;
  readonly servers: readonly ServerReading[];
  /** The newest revision in the ODB, when a server could ask it. */
  readonly revision?: number;
  /** Absent: no agent is configured. */
  readonly balancer?: BalancerReading;
  /** Why the console could not look at all, such as a certificate of its own that has expired. */
  readonly problem?: string;
}

/** One server; at least one of `status` and `problem` is there. */
export interface ServerReading {
  /** Its name, or the host and port of its admin API as long as nobody has told the name. */
  readonly name: string;
  readonly adminUrl: string;
  /** Its row in the ODB, as it last was. */
  readonly registered?: RegisteredServer;
  readonly status?: ServerStatus;
  /** Why it does not answer. */
  readonly problem?: string;
}

export interface BalancerReading {
  readonly agentUrl: string;
  readonly status?: BalancerStatus;
  /** Why the agent does not answer. */
  readonly problem?: string;
}

/** Where readings come from: the admin APIs and the agent, or a stand-in of a test. */
export interface ClusterSource {
  /** Looks once; never rejects for what is wrong in the cluster. Takes about 2 s at most. */
  look(): Promise<ClusterReadings>;
  close(): void;
}
