import type { MethodHistory, RequestHistory } from "./history/requests.ts";
import type { TickHistory } from "./history/ticks.ts";
import type { LoadEntry } from "./load/ledger.ts";
import { atMostCount, formatMs, none, noted, type PromiseRow } from "./promises.ts";

/** A GET may be repeated by the balancer when its server dies: this share of them, at least 5. */
const repeatedShare = 0.0002;
const repeatedMin = 5;

/** What a history of requests says of what every rehearsal promises. */
export function requestRows({ methods, unexplained }: RequestHistory): readonly PromiseRow[] {
  return [
    ...methods.flatMap((history) => rowsOf[history.method]?.(history) ?? []),
    ...methods.map(({ method, lost }) => none(`${method} answered and never executed`, lost)),
    none("Executed and sent by nobody", unexplained),
    ...methods.flatMap(rowsOfTurnedAway),
    ...methods.map(({ method, p50Ms, p99Ms, maxMs }) =>
      noted(
        `${method} answered after`,
        `p50 ${formatMs(p50Ms)}, p99 ${formatMs(p99Ms)}, max ${formatMs(maxMs)}`,
      )
    ),
  ];
}

function rowsOfGet({ sent, failed, unserved, duplicated }: MethodHistory): readonly PromiseRow[] {
  const bound = Math.max(repeatedMin, Math.floor(sent * repeatedShare));
  const others = failed.filter((entry) => !unserved.includes(entry));
  return [
    ...(unserved.length === 0 ? [none(`GET failed, of ${sent}`, failed.map(describe))] : [
      none(`GET failed though a server lived, of ${sent}`, others.map(describe)),
      noted("GET failed while no server lived", String(unserved.length)),
    ]),
    atMostCount("GET executed twice", duplicated, bound),
  ];
}

function rowsOfPost(history: MethodHistory): readonly PromiseRow[] {
  const { method, sent, failed, failedExecuted, unaccounted, duplicated } = history;
  const inFlight = failed.length - unaccounted.length;
  return [
    none(`${method} failed that no fault accounts for, of ${sent}`, unaccounted.map(describe)),
    noted(
      `${method} in flight where a fault struck, and failed`,
      `${inFlight} (${failedExecuted} executed, ${failed.length - failedExecuted} not)`,
    ),
    none(`${method} executed twice`, duplicated),
  ];
}

function rowsOfTurnedAway(
  { method, turnedAway, turnedAwayExecuted }: MethodHistory,
): readonly PromiseRow[] {
  if (turnedAway === 0) return [];
  return [
    none(`${method} refused and executed all the same, of ${turnedAway}`, turnedAwayExecuted),
  ];
}

/** With a key no fault excuses a failure but one: that nobody knows what was done before it. */
function rowsOfKeyed(history: MethodHistory): readonly PromiseRow[] {
  const { method, sent, failed, unaccounted, duplicated } = history;
  const unknown = failed.filter((entry) =>
    entry.problem === "REQUEST_KEY_UNKNOWN" && !unaccounted.includes(entry)
  );
  const others = failed.filter((entry) => !unknown.includes(entry));
  return [
    none(`${method} failed, of ${sent}`, others.map(describe)),
    noted(
      `${method} begun where a fault struck, and said to be of unknown outcome`,
      String(unknown.length),
    ),
    none(`${method} executed twice`, duplicated),
  ];
}

/** By what is sent. */
const rowsOf: Readonly<Record<string, (history: MethodHistory) => readonly PromiseRow[]>> = {
  "GET": rowsOfGet,
  "POST": rowsOfPost,
  "POST with key": rowsOfKeyed,
};

/** What a history of planned times says. */
export function tickRows(history: TickHistory): readonly PromiseRow[] {
  const { ticks, repeated, repeatedExecuted, byServer, lateP99Ms, lateMaxMs } = history;
  const spread = Object.entries(byServer).sort().map(([name, runs]) => `${name} ${runs}`);
  return [
    none(`Ticks run twice, of ${ticks}`, history.twice),
    none("Ticks lost", [...history.missing, ...history.lost]),
    none("Ticks that did not end", history.unfinished),
    none("Ticks said to be done and never executed", history.phantom),
    none("Runs that the ledger does not know", history.unexplained),
    noted(
      "Runs cut off with their server and tried again",
      `${repeated} (${repeatedExecuted} had begun)`,
    ),
    noted("Ticks began after their time", `p99 ${formatMs(lateP99Ms)}, max ${formatMs(lateMaxMs)}`),
    noted("Runs by server", spread.join(", ") || "none"),
  ];
}

function describe({ method, reason = "?", server, sentAtMs, endedAtMs }: LoadEntry): string {
  const from = server === undefined ? "" : ` from ${server}`;
  return `${method}: ${reason}${from} after ${formatMs(endedAtMs - sentAtMs)}`;
}
