import type { DependencyStatus, ServerList, ServerStatus } from "../../admin-api/api.ts";
import type { Table } from "../output.ts";

/** What `status` says of one server. */
export type ServerSummary = AnsweringServer | SilentServer;

type AnsweringServer = Pick<
  ServerStatus,
  | "name"
  | "state"
  | "version"
  | "url"
  | "adminUrl"
  | "revision"
  | "stateHash"
  | "wantedHash"
  | "startedAt"
  | "certificates"
  | "workers"
  | "failures"
  | "leases"
  | "alarms"
  | "odb"
  | "kvdb"
  | "disk"
>;

/**
 * `down`: it left cleanly; `lost`: it has not reported to the ODB for too long, because it crashed
 * or is cut off; `unreachable`: it may well report, but cannot be asked from here.
 */
interface SilentServer {
  /** Absent when the ODB does not know it, or cannot be asked. */
  readonly name?: string;
  readonly adminUrl: string;
  readonly state: "down" | "lost" | "unreachable";
  readonly lastSeenAt?: string;
  /** The last that it reported. */
  readonly revision?: number;
  readonly error: string;
}

type Registered = ServerList["servers"][number];

/** Puts what a server says of itself beside what the ODB knows. */
export function summariseServer(
  adminUrl: string,
  status: ServerStatus | string,
  registered: readonly Registered[],
): ServerSummary {
  if (typeof status === "string") return silent(adminUrl, status, registered);
  const { name, state, version, url, revision, stateHash, wantedHash, startedAt } = status;
  const { certificates, workers, failures, leases, alarms, odb, kvdb, disk } = status;
  return {
    ...{ name, state, version, url, adminUrl, revision, stateHash, wantedHash, startedAt },
    ...{ certificates, workers, failures, leases, alarms, odb, kvdb, disk },
  };
}

function silent(
  adminUrl: string,
  error: string,
  registered: readonly Registered[],
): SilentServer {
  const row = registered.find((server) => server.adminUrl === adminUrl);
  if (row === undefined) return { adminUrl, state: "unreachable", error };
  const { name, state, lastSeenAt, revision } = row;
  const isGone = state === "down" || state === "lost";
  return { name, adminUrl, state: isGone ? state : "unreachable", lastSeenAt, revision, error };
}

/** Up, with all that it should run, and what it needs. */
export function isHealthy(server: ServerSummary): boolean {
  if ("error" in server) return false;
  const fine = [server.odb, server.kvdb, server.disk].every(({ state }) => state !== "down");
  const isSame = server.stateHash === server.wantedHash && server.failures.length === 0;
  return server.state === "up" && isSame && fine;
}

/** The servers as people read them. */
export function serverTable(servers: readonly ServerSummary[]): Table {
  const columns = ["server", "state", "version", "url", "workers", "revision", "hash", "odb"];
  return {
    columns: [...columns, "kvdb", "failures", "leases"],
    rows: servers.map((server) => ("error" in server ? silentRow(server) : [
      server.name,
      server.state,
      server.version,
      server.url,
      server.workers.length,
      server.revision,
      describeHash(server),
      describeDependency(server.odb),
      describeDependency(server.kvdb),
      server.failures.length,
      server.leases.map(({ name }) => name).join(", ") || "-",
    ])),
  };
}

function silentRow(server: SilentServer): readonly (string | number)[] {
  const { name = "-", state, adminUrl, lastSeenAt = "-", revision = "-", error } = server;
  const described = {
    down: `down since ${lastSeenAt}`,
    lost: `lost, not heard of since ${lastSeenAt}`,
    unreachable: `unreachable: ${error}`,
  }[state];
  return [name, described, "-", adminUrl, "-", revision, "-", "-", "-", "-", "-"];
}

/** What the workers run, in short; where that is not what they should, which of them. */
function describeHash({ wantedHash, workers }: AnsweringServer): string {
  const short = wantedHash.slice(0, 8) || "-";
  const others = workers.filter((worker) => worker.stateHash !== wantedHash).map(({ id }) => id);
  if (others.length === 0) return short;
  return others.length === 1
    ? `${short}, worker ${others[0]} differs`
    : `${short}, workers ${others.join(", ")} differ`;
}

function describeDependency({ engine, state, reason }: DependencyStatus): string {
  if (state === "none") return "none";
  return state === "up" ? `${engine} up` : `${engine} down: ${reason ?? "unknown"}`;
}
