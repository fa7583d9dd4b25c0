import type { WorkerStatus } from "../../../src/admin-api/api.ts";
import type { Health, ServerCondition, ServerView, WorkerView } from "../../shared/overview.ts";
import { newestRevision } from "./conditions.ts";
import type { History } from "./history.ts";
import { counterKey, rateOf } from "./rates.ts";
import type { ClusterReadings, ServerReading } from "./readings.ts";

/** An event loop that did not turn for this long is worth a colour. */
const slowLoopMs = 200;

/** What the page shows of one server. */
export function viewServer(
  reading: ServerReading,
  { readings, history }: { readonly readings: ClusterReadings; readonly history: History },
): ServerView {
  const { name, status, registered } = reading;
  const condition = conditionOf(reading);
  const workers = (status?.workers ?? []).map((worker) => viewWorker(name, worker, history));
  const revision = status?.revision ?? registered?.revision ?? null;
  const sum = (pick: (worker: WorkerView) => number) =>
    workers.reduce((total, worker) => total + pick(worker), 0);
  const isMeasured = workers.some((worker) => worker.requestsPerSecond !== null);
  return {
    name,
    health: healthOf(condition, reading, workers),
    condition,
    problem: condition === "unreachable" || condition === "lost" ? reading.problem ?? null : null,
    since: sinceOf(condition, reading, history),
    adminUrl: reading.adminUrl,
    url: status?.url ?? registered?.url ?? null,
    version: status?.version ?? registered?.version ?? null,
    revision,
    step: stepOf(status?.revision, newestRevision(readings)),
    stateHash: status?.stateHash ?? registered?.stateHash ?? null,
    requestsTotal: sum((worker) => worker.requestsTotal),
    requestsPerSecond: isMeasured ? sum((worker) => worker.requestsPerSecond ?? 0) : null,
    errorsTotal: sum((worker) => worker.errorsTotal),
    refusedTotal: sum((worker) => worker.refusedTotal ?? 0),
    inFlight: sum((worker) => worker.inFlight),
    facts: status === undefined ? null : {
      pid: status.pid,
      hostname: status.hostname,
      startedAt: status.startedAt,
      workers,
      failures: status.failures,
    },
  };
}

function conditionOf({ status, registered }: ServerReading): ServerCondition {
  if (status === undefined) {
    if (registered?.state === "down") return "stopped";
    return registered?.state === "lost" ? "lost" : "unreachable";
  }
  const { state } = status;
  // "lost" is how others see a server; one that answers of itself is on its way up.
  if (state === "lost") return "joining";
  return state === "down" ? "stopped" : state;
}

function healthOf(
  condition: ServerCondition,
  { status }: ServerReading,
  workers: readonly WorkerView[],
): Health {
  if (condition === "unreachable" || condition === "lost") return "bad";
  if (condition !== "up") return "warning";
  if ((status?.failures.length ?? 0) > 0) return "bad";
  return workers.every((worker) => worker.health === "good") ? "good" : "warning";
}

function sinceOf(
  condition: ServerCondition,
  { name, status, registered }: ServerReading,
  history: History,
): string | null {
  if (status !== undefined) return condition === "up" ? status.startedAt : null;
  if (condition === "stopped" || registered?.state === "lost") {
    return registered?.lastSeenAt ?? null;
  }
  return history.firstSeen.get(`unreachable ${name}`) ?? null;
}

function stepOf(revision: number | undefined, newest: number | undefined): ServerView["step"] {
  if (revision === undefined || newest === undefined) return "unknown";
  return revision >= newest ? "in step" : "behind";
}

function viewWorker(server: string, worker: WorkerStatus, { samples }: History): WorkerView {
  const isWell = worker.state === "up" && worker.eventLoopDelayMs < slowLoopMs;
  return {
    ...worker,
    health: isWell ? "good" : "warning",
    requestsPerSecond: rateOf(samples, counterKey.worker(server, worker.id, worker.pid)),
  };
}
