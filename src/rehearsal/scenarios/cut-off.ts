import { delay } from "../../lib/wait.ts";
import type { LocalServer } from "../cluster.ts";
import type { LinkFaults } from "../faults/tcp-proxy.ts";
import type { FaultRecord } from "../history/fault-log.ts";
import { withinMs } from "../promises.ts";
import type { Place, Scenario, Stage } from "../stage.ts";
import { leaderBoundMs, type NextLeader, pauseMs, whoLedRow } from "./leader.ts";

/** A server that was cut off has caught up so long after the link is good again. */
const convergedBoundMs = 5_000;

export const leaderCutOff: Scenario = {
  name: "leader-cut-off",
  summary: "The server that leads loses its ways to ODB and KVDB, and serves on",
  jobs: 10,
  unfit: unfitForCutOff,
  async rehearse(stage) {
    const { server, epoch } = await stage.cluster.leader();
    const { next } = await cutOff(stage, server, epoch);
    const convergedMs = await stage.cluster.recovered();
    return [
      withinMs("Another server leads after", next?.tookMs, leaderBoundMs),
      whoLedRow(server, next),
      withinMs("The server has caught up after", convergedMs, convergedBoundMs),
    ];
  },
};

/** Why no single server can be cut off; undefined when one can. */
export function unfitForCutOff({ links }: Place): string | undefined {
  if (links === undefined) return "the links of its servers cannot be broken from here";
  const hasNetwork = [...links.values()].every(({ odb }) => odb !== undefined);
  return hasNetwork ? undefined : "its ODB is a file, from which no single server can be cut off";
}

/** Cuts a leader off from ODB and KVDB until somebody else leads, and past its lease. */
export async function cutOff(
  stage: Stage,
  server: LocalServer,
  epoch: number,
): Promise<{ readonly fault: FaultRecord; readonly next: NextLeader }> {
  const { cluster, place: { links } } = stage;
  const proxies = Object.values(links?.get(server.name) ?? {});
  const set = (faults: LinkFaults) => Promise.all(proxies.map((proxy) => proxy.set(faults)));
  cluster.setAway(server, true);
  const fault = stage.begin(`${server.name} is cut off from ODB and KVDB`);
  await set({ frozen: "both" });
  const [next] = await Promise.all([cluster.nextLeader(epoch), delay(pauseMs)]);
  await set({});
  cluster.setAway(server, false);
  stage.end(fault, `${server.name} reaches everything again`);
  return { fault, next };
}
