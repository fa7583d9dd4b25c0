import { type LoadEntry, percentile } from "../load/ledger.ts";
import { type FaultRecord, hadNobody, isAccountedFor, wasTurnedAway } from "./fault-log.ts";

/** What became of all requests of one method: the client's account joined with the servers'. */
export interface MethodHistory {
  readonly method: string;
  readonly sent: number;
  /** Answered well, and executed once. */
  readonly good: number;
  /** Refused while that was promised; not among `failed`. */
  readonly turnedAway: number;
  /** Of these: executed all the same. */
  readonly turnedAwayExecuted: readonly string[];
  /** Not answered well, whatever the servers did. */
  readonly failed: readonly LoadEntry[];
  /** Of `failed`: executed all the same. */
  readonly failedExecuted: number;
  /** Of `failed`: those that no fault accounts for. */
  readonly unaccounted: readonly LoadEntry[];
  /** Of `failed`: those that were under way when no server lived to answer them. */
  readonly unserved: readonly LoadEntry[];
  /** Executed more than once, however they were answered. */
  readonly duplicated: readonly string[];
  /** Answered well, and never executed. */
  readonly lost: readonly string[];
  /** Of the good answers to what was sent once the cluster was warm. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface RequestHistory {
  readonly methods: readonly MethodHistory[];
  /** Executed, and sent by nobody. */
  readonly unexplained: readonly string[];
}

/** What requests are held against. */
export interface Circumstances {
  readonly faults: readonly FaultRecord[];
  /** Requests sent before this say nothing of how fast answers come. Default: all do. */
  readonly timedFromMs?: number;
}

/**
 * Joins what the client saw with what servers executed (id -> how often), so that every id of
 * either side is accounted for once.
 */
export function checkRequests(
  entries: readonly LoadEntry[],
  executions: ReadonlyMap<string, number>,
  circumstances: Circumstances,
): RequestHistory {
  const sent = new Set(entries.map(({ id }) => id));
  const methods = [...new Set(entries.map(({ method }) => method))].sort();
  return {
    methods: methods.map((method) =>
      checkMethod(method, entries.filter((entry) => entry.method === method), {
        executions,
        ...circumstances,
      })
    ),
    unexplained: [...executions.keys()].filter((id) => !sent.has(id)),
  };
}

function checkMethod(
  method: string,
  entries: readonly LoadEntry[],
  { executions, faults, timedFromMs = 0 }: Circumstances & {
    readonly executions: ReadonlyMap<string, number>;
  },
): MethodHistory {
  const timesOf = ({ id }: LoadEntry) => executions.get(id) ?? 0;
  const turnedAway = entries.filter((entry) => wasTurnedAway(entry, faults));
  const excused = new Set(turnedAway);
  const failed = entries.filter((entry) => entry.outcome !== "ok" && !excused.has(entry));
  const answered = entries.filter(({ outcome }) => outcome === "ok");
  const durations = answered.filter(({ sentAtMs }) => sentAtMs >= timedFromMs).map((
    { sentAtMs, endedAtMs },
  ) => endedAtMs - sentAtMs)
    .sort((a, b) => a - b);
  return {
    method,
    sent: entries.length,
    good: answered.filter((entry) => timesOf(entry) === 1).length,
    turnedAway: turnedAway.length,
    turnedAwayExecuted: turnedAway.filter((entry) => timesOf(entry) > 0).map(({ id }) => id),
    failed,
    failedExecuted: failed.filter((entry) => timesOf(entry) > 0).length,
    unaccounted: failed.filter((entry) => !isAccountedFor(entry, faults)),
    unserved: failed.filter((entry) => hadNobody(entry, faults)),
    duplicated: entries.filter((entry) => timesOf(entry) > 1).map(({ id }) => id),
    lost: answered.filter((entry) => timesOf(entry) === 0).map(({ id }) => id),
    p50Ms: percentile(durations, 0.5),
    p99Ms: percentile(durations, 0.99),
    maxMs: durations.at(-1) ?? 0,
  };
}
