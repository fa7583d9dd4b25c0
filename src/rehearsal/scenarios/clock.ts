import { join } from "node:path";
import { PlatformError } from "../../errors/platform-error.ts";
import { delay, poll } from "../../lib/wait.ts";
import type { LocalServer } from "../cluster.ts";
import { createWallClock, findWallClockLibrary, type WallClock } from "../faults/wall-clock.ts";
import { holds, none, type PromiseRow } from "../promises.ts";
import type { Scenario, Stage } from "../stage.ts";
import type { OrderAnswer } from "../workload.ts";

const jumpSeconds = 3_600;
/** For how long each wrong time lasts: longer than a lease does. */
const wrongMs = 8_000;

export const clockJump: Scenario = {
  name: "clock-jump",
  summary: "The wall clock of the leading server jumps an hour forth, then an hour back",
  jobs: 10,
  async rehearse(stage) {
    const { cluster } = stage;
    const clocks = await giveClocks(stage);
    const { server, epoch } = await cluster.leader();
    const clock = clocks.get(server.name)!;
    const rows: PromiseRow[] = [];
    for (const seconds of [jumpSeconds, -jumpSeconds]) {
      rows.push(await jump(stage, { server, clock, seconds }));
    }
    await clock.jump(0);
    await cluster.recovered();
    const lease = await cluster.leader();
    const { name } = server;
    const others = (await cluster.schedulerTerms()).filter((term) => term.epoch > epoch);
    return [
      ...rows,
      none(
        "Changes of leader, though the ODB's clock is the only one that counts",
        others.map((term) => `${term.server} with epoch ${term.epoch}`),
      ),
      holds(`${name} leads as before`, lease.epoch === epoch, `epoch ${epoch} -> ${lease.epoch}`),
    ];
  },
};

/** Starts every server anew with a clock of its own: whichever leads then, its clock can jump. */
async function giveClocks(stage: Stage): Promise<ReadonlyMap<string, WallClock>> {
  const library = findWallClockLibrary();
  if (library === undefined) {
    throw new PlatformError("REHEARSAL_NEEDS", {
      scenario: "clock-jump",
      what: "libfaketime",
      debianPackage: "libfaketime",
    });
  }
  const { cluster } = stage;
  const clocks = new Map<string, WallClock>();
  for (const server of cluster.servers) {
    const clock = await createWallClock(library, join(server.directory, "run", "wall-clock"));
    const fault = stage.begin(`${server.name} is started anew with a clock of its own`);
    cluster.setAway(server, true);
    await cluster.stop(server.name);
    await cluster.start(server.name, { env: clock.env });
    cluster.setAway(server, false);
    await cluster.recovered();
    stage.end(fault, `${server.name} is back`);
    clocks.set(server.name, clock);
  }
  return clocks;
}

async function jump(
  stage: Stage,
  { server, clock, seconds }: {
    readonly server: LocalServer;
    readonly clock: WallClock;
    readonly seconds: number;
  },
): Promise<PromiseRow> {
  const { name } = server;
  const way = seconds > 0 ? "an hour ahead" : "an hour behind";
  const offsets: number[] = [];
  stage.onAnswer = ({ server: from }, { body }) => {
    if (from === name) offsets.push(parseClock(body) - Date.now());
  };
  const fault = stage.begin(`The clock of ${name} is ${way}`);
  await clock.jump(seconds);
  const seen = await poll(() => {
    const offset = offsets.findLast((ms) => Math.abs(ms - seconds * 1_000) < 60_000);
    return offset === undefined ? undefined : true;
  }, { timeoutMs: 10_000, intervalMs: 200 });
  await delay(wrongMs);
  stage.end(fault, `${name} has lived with that for ${wrongMs / 1_000} s`);
  const last = offsets.at(-1);
  const measured = last === undefined ? "it answered nothing" : `${Math.round(last / 60_000)} min`;
  return holds(`The clock of ${name} was really ${way}`, seen === true, measured);
}

/** The wall clock of the worker that answered. */
function parseClock(body: string): number {
  const { at }: OrderAnswer = JSON.parse(body); // a good answer was validated by the service
  return at;
}
