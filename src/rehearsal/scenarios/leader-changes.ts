import { randomInt } from "node:crypto";
import { formatMs, noted, type PromiseRow, withinMs } from "../promises.ts";
import type { Scenario, Stage } from "../stage.ts";
import { cutOff, unfitForCutOff } from "./cut-off.ts";
import { leaderBoundMs, type NextLeader, pauseMs } from "./leader.ts";
import { handOverMs, handOverRow, stopInOrder } from "./servers.ts";

const changesMin = 10;
/** Together they make a hundred ticks a second. */
const jobs = 100;

type Way = "killed" | "paused" | "cut off" | "stopped";

export const leaderChanges: Scenario = {
  name: "leader-changes",
  summary: "The long form: the leader is killed, paused, cut off and stopped at random",
  jobs,
  lastsForTicks: true,
  async rehearse(stage) {
    const tookMs: Record<Way, number[]> = { killed: [], paused: [], "cut off": [], stopped: [] };
    const handOvers: number[] = [];
    const untilMs = performance.now() + (stage.dose.ticks ?? 0) / jobs * 1_000;
    for (let change = 0; change < changesMin || performance.now() < untilMs; change++) {
      const way = chooseWay(stage, change);
      const next = await changeLeader(stage, way, handOvers);
      tookMs[way].push(next?.tookMs ?? Infinity);
      stage.say(
        `Change ${change + 1}: ${next?.server ?? "nobody"} leads after ${
          next === undefined ? "all" : formatMs(next.tookMs)
        }`,
      );
    }
    return [...rowsOf(tookMs), handOverRow(longestOf(handOvers))];
  },
};

/** Each way at least once, in any order after that. */
function chooseWay({ place }: Stage, change: number): Way {
  const ways: readonly Way[] = unfitForCutOff(place) === undefined
    ? ["killed", "paused", "cut off", "stopped"]
    : ["killed", "paused", "stopped"];
  return ways[change < ways.length ? change : randomInt(ways.length)]!;
}

async function changeLeader(
  stage: Stage,
  way: Way,
  handOvers: number[],
): Promise<NextLeader> {
  const { cluster } = stage;
  const { server, epoch } = await cluster.leader();
  let next: NextLeader;
  if (way === "killed") {
    const fault = await stage.kill(server);
    next = await cluster.nextLeader(epoch);
    await stage.revive(server, fault);
  } else if (way === "paused") {
    await stage.pause(server, pauseMs, async () => {
      next = await cluster.nextLeader(epoch);
    });
  } else if (way === "cut off") {
    ({ next } = await cutOff(stage, server, epoch));
  } else {
    const stopped = await stopInOrder(stage, server, epoch);
    ({ next } = stopped);
    await stage.revive(server, stopped.fault);
    handOvers.push(await handOverMs(stage, epoch) ?? Infinity);
  }
  await cluster.recovered();
  return next;
}

function rowsOf(tookMs: Readonly<Record<Way, readonly number[]>>): readonly PromiseRow[] {
  const unclean = [...tookMs.killed, ...tookMs.paused, ...tookMs["cut off"]];
  const ways = Object.entries(tookMs).filter(([, times]) => times.length > 0)
    .map(([way, times]) => `${way} ${times.length}`);
  return [
    noted("Leaders were", ways.join(", ")),
    withinMs(
      `Another server leads after each of ${unclean.length} unclean ends within`,
      longestOf(unclean),
      leaderBoundMs,
    ),
  ];
}

/** Undefined when one of them never ended. */
function longestOf(times: readonly number[]): number | undefined {
  const longest = Math.max(0, ...times);
  return Number.isFinite(longest) ? longest : undefined;
}
