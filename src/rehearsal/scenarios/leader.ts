import type { LocalServer } from "../cluster.ts";
import { noted, type PromiseRow, withinMs } from "../promises.ts";
import type { Scenario, Stage } from "../stage.ts";
import { rotationRow } from "./rotation.ts";

/** Somebody else leads so long after the leader died, was paused or was cut off. */
export const leaderBoundMs = 10_000;
/** Longer than a lease lasts: its holder must find itself replaced. */
export const pauseMs = 8_000;

/** Who led next and after how long; undefined: nobody did. */
export type NextLeader = Awaited<ReturnType<Stage["cluster"]["nextLeader"]>>;

export const leaderKilled: Scenario = {
  name: "leader-killed",
  summary: "The server that leads the scheduler is killed (SIGKILL)",
  jobs: 10,
  async rehearse(stage) {
    const { server, epoch } = await stage.cluster.leader();
    const fault = await stage.kill(server);
    const next = await stage.cluster.nextLeader(epoch);
    await stage.revive(server, fault);
    return leaderRows(server, next, leaderBoundMs);
  },
};

export const leaderPaused: Scenario = {
  name: "leader-paused",
  summary: "The server that leads is paused past its lease (SIGSTOP), then goes on",
  jobs: 10,
  async rehearse(stage) {
    const { server, epoch } = await stage.cluster.leader();
    let next: NextLeader;
    const fault = await stage.pause(server, pauseMs, async () => {
      next = await stage.cluster.nextLeader(epoch);
    });
    await stage.cluster.recovered();
    return [...leaderRows(server, next, leaderBoundMs), rotationRow(stage, fault)];
  },
};

/** Who led next, and whether that was in time. */
function leaderRows(
  server: LocalServer,
  next: NextLeader,
  boundMs: number,
): readonly PromiseRow[] {
  return [
    withinMs("Another server leads after", next?.tookMs, boundMs),
    whoLedRow(server, next),
  ];
}

export function whoLedRow({ name }: LocalServer, next: NextLeader): PromiseRow {
  return noted("Who led", `${name}, then ${next?.server ?? "nobody"}, epoch ${next?.epoch ?? "-"}`);
}
