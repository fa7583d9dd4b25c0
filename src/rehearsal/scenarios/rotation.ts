import type { FaultRecord } from "../history/fault-log.ts";
import { type PromiseRow, withinMs } from "../promises.ts";
import type { Stage } from "../stage.ts";

/** A server that has stopped answering gets no more requests after so long. */
const rotationBoundMs = 2_000;
/** An answer that took so long was held by the server that had stopped. */
const stalledMs = 1_000;

/** How long after it had stopped answering a server was still sent requests. */
export function rotationRow({ entries }: Stage, { atMs, untilMs }: FaultRecord): PromiseRow {
  const stalled = entries.filter(({ sentAtMs, endedAtMs }) =>
    sentAtMs >= atMs && sentAtMs < (untilMs ?? Infinity) && endedAtMs - sentAtMs >= stalledMs
  );
  const last = stalled.reduce((latest, { sentAtMs }) => Math.max(latest, sentAtMs), atMs);
  return withinMs("The server that stopped is sent nothing after", last - atMs, rotationBoundMs);
}
