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
 * rounds that take turns, so that what else the machine does falls on all of them alike. One
 * process is up to a third faster than the next of the same program, by luck; so each of them is
 * started several times.
 */
export async function benchRequestPath(
  { starts = 5, rounds = 4, seconds = 1 } = {},
): Promise<void> {
  const all = new Map<string, Load[]>();
  for (let start = 0; start < starts; start++) {
    const targets = await startTargets();
    try {
      const contenders = targets.map((target) => ({ ...target, body }));
      for (const [name, loads] of await measureInTurns(contenders, { rounds, seconds })) {
        all.set(name, [...all.get(name) ?? [], ...loads]);
      }
    } finally {
      for (const target of targets) await target.stop();
    }
  }
  print(all);
}

/** The one that all others are compared with comes first. */
async function startTargets(): Promise<readonly Target[]> {
  const [keyed, open] = await startDragoman();
  const peers = [await startDenoEcho(), await startFastify(), await startGunicorn()];
  const bare = peers.filter((peer) => peer !== undefined);
  return [keyed, ...bare, open, ...await startBalancers(keyed)];
}

function print(loads: ReadonlyMap<string, readonly Load[]>): void {
  const [[, own]] = [...loads] as [[string, readonly Load[]]]; // the first of several
  console.log("Request path, one core, POST of a small JSON object, 32 connections\n");
  for (const [name, measured] of loads) {
    const middle = (field: keyof Load) => median(measured.map((load) => load[field]));
    // The ratio within a round, then the middle one: rounds differ, what is in one does not.
    const ratio = (field: keyof Load) =>
      median(measured.map((load, round) => own[round]![field] / load[field]));
    console.log([
      name.padEnd(30),
      `${Math.round(middle("requestsPerSecond")).toLocaleString("en")} requests/s`.padStart(18),
      `p99 ${middle("p99Ms").toFixed(2)} ms`.padStart(14),
      `${middle("cpuMicros").toFixed(1)} us CPU`.padStart(14),
      `  Dragoman with key / this: ${ratio("requestsPerSecond").toFixed(2)}`,
      `(by CPU time ${(1 / ratio("cpuMicros")).toFixed(2)})`,
    ].join(" "));
  }
}
