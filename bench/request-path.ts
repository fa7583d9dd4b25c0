import { type Load, median } from "./load.ts";
import { measureInTurns } from "./turns.ts";
import {
  startBalancers,
  startDenoEcho,
  startDragoman,
  startFastify,
  startGunicorn,
  type Target,
} from "./targets.ts";

const body = JSON.stringify({ name: "Ana" });

/**
 * The whole request path on one worker (one core) beside bare echo servers: the same request, in
 * rounds that take turns, so that what else the machine does falls on all of them alike.
 */
export async function benchRequestPath({ rounds = 5, seconds = 3 } = {}): Promise<void> {
  const [keyed, open] = await startDragoman();
  const peers = [await startDenoEcho(), await startFastify(), await startGunicorn()];
  if (peers[2] === undefined) console.log("gunicorn is not installed: left out");
  const targets = [
    keyed,
    ...await startBalancers(keyed),
    open,
    ...peers.filter((peer) => peer !== undefined),
  ];
  try {
    const loads = await measureInTurns(targets.map((target) => ({ ...target, body })), {
      rounds,
      seconds,
    });
    print(targets, loads);
  } finally {
    for (const target of targets) await target.stop();
  }
}

function print(
  targets: readonly Target[],
  loads: ReadonlyMap<string, readonly Load[]>,
): void {
  const [own] = targets;
  console.log("Request path, one core, POST of a small JSON object, 32 connections\n");
  for (const target of targets) {
    const measured = loads.get(target.name)!;
    const middle = (field: keyof Load) => median(measured.map((load) => load[field]));
    // The ratio within a round, then the middle one: rounds differ, what is in one does not.
    const ratio = (field: keyof Load) =>
      median(measured.map((load, round) => loads.get(own!.name)![round]![field] / load[field]));
    console.log([
      target.name.padEnd(30),
      `${Math.round(middle("requestsPerSecond")).toLocaleString("en")} requests/s`.padStart(18),
      `p99 ${middle("p99Ms").toFixed(2)} ms`.padStart(14),
      `${middle("cpuMicros").toFixed(1)} us CPU`.padStart(14),
      `  Dragoman with key / this: ${ratio("requestsPerSecond").toFixed(2)}`,
      `(by CPU time ${(1 / ratio("cpuMicros")).toFixed(2)})`,
    ].join(" "));
  }
}
