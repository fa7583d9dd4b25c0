import { isPlatformError, reasonOf } from "../../errors/platform-error.ts";
import { delay } from "../../lib/wait.ts";
import { beginOdbOutage, type Outage, unfitForOdbOutage } from "../faults/outage.ts";
import { signalTree } from "../faults/processes.ts";
import { holds, type PromiseRow, withinMs } from "../promises.ts";
import type { Place, Scenario, Stage } from "../stage.ts";
import { applyObjects, channelObject } from "../workload.ts";

/** Servers have caught up so long after what they depend on is back. */
export const convergedBoundMs = 5_000;
/** A change that cannot be made is refused within this, with the reason. */
const refusedBoundMs = 15_000;
/** A change is live on every server within this, though the KVDB cannot tell them. */
const toldByLookingMs = 2_500;

export const odbDown: Scenario = {
  name: "odb-down",
  summary: "No server reaches the ODB: connections break and are refused",
  jobs: 10,
  unfit: unfitForOdbOutage,
  rehearse: (stage) => withoutOdb(stage, () => beginOdbOutage(stage.place, "down")),
};

export const odbFrozen: Scenario = {
  name: "odb-frozen",
  summary: "The ODB stops answering, and its connections stay open",
  jobs: 10,
  unfit: unfitForOdbOutage,
  rehearse: (stage) => withoutOdb(stage, () => beginOdbOutage(stage.place, "frozen")),
};

export const storesDown: Scenario = {
  name: "stores-down",
  summary: "ODB and KVDB are gone at the same time",
  jobs: 10,
  unfit: (place) => unfitForOdbOutage(place) ?? unfitForKvdbOutage(place),
  rehearse: (stage) =>
    withoutOdb(stage, async () => {
      const kvdb = await killKvdb(stage);
      const odb = await beginOdbOutage(stage.place, "down");
      return {
        what: `${kvdb.what}, and ${odb.what.charAt(0).toLowerCase()}${odb.what.slice(1)}`,
        end: async () => {
          await odb.end();
          await kvdb.end();
        },
      };
    }),
};

async function withoutOdb(
  stage: Stage,
  begin: () => Promise<Outage>,
): Promise<readonly PromiseRow[]> {
  const { cluster, dose: { outageMs } } = stage;
  const outage = await begin();
  const fault = stage.begin(outage.what);
  const [refusal] = await Promise.all([tryChange(stage), delay(outageMs)]);
  await outage.end();
  stage.end(fault, "The ODB is back");
  const tookMs = await cluster.recovered();
  const changed = await applyObjects(cluster, [changedChannel("after the outage")]);
  return [
    refusal,
    withinMs("Every server has caught up after", tookMs, convergedBoundMs),
    liveRow("A change is live on every server again", changed),
  ];
}

/** Makes a change that cannot be made, and says how it was refused. */
async function tryChange({ cluster }: Stage): Promise<PromiseRow> {
  const began = performance.now();
  try {
    await applyObjects(cluster, [changedChannel("during the outage")]);
    return holds("A change is refused with the reason", false, "it was accepted");
  } catch (error) {
    const row = withinMs("A change is refused within", performance.now() - began, refusedBoundMs);
    const isTold = isPlatformError(error) && error.code.startsWith("ODB_");
    if (isTold && row.verdict === "kept") return row;
    return { ...row, verdict: "broken", cases: [reasonOf(error)] };
  }
}

export const kvdbDown: Scenario = {
  name: "kvdb-down",
  summary: "The KVDB is killed, and started again later",
  jobs: 10,
  unfit: unfitForKvdbOutage,
  async rehearse(stage) {
    const { cluster, dose: { outageMs } } = stage;
    const outage = await killKvdb(stage);
    const fault = stage.begin(outage.what);
    const began = performance.now();
    const [changed] = await Promise.all([
      applyObjects(cluster, [changedChannel("without the KVDB")]).then(async (result) => {
        await cluster.recovered();
        return { result, tookMs: performance.now() - began };
      }),
      delay(outageMs),
    ]);
    await outage.end();
    stage.end(fault, "The KVDB is back");
    const tookMs = await cluster.recovered();
    return [
      withinMs("A change is live without the KVDB within", changed.tookMs, toldByLookingMs),
      withinMs("Every server has caught up after", tookMs, convergedBoundMs),
    ];
  },
};

export function unfitForKvdbOutage({ cluster }: Place): string | undefined {
  const isOurs = cluster.config.components.some(({ component }) => component === "kvdb");
  return isOurs ? undefined : "its KVDB does not belong to it";
}

/** SIGKILL to the KVDB of the cluster; the end of the outage starts it again. */
export async function killKvdb({ cluster }: Stage): Promise<Outage> {
  const name = cluster.config.components.find(({ component }) => component === "kvdb")!.name;
  const tree = await cluster.processOf(name);
  if (tree !== undefined) signalTree(tree, "SIGKILL");
  return { what: "The KVDB is killed", end: () => cluster.start(name) };
}

/** The channel of the load with another description. */
export function changedChannel(when: string) {
  return channelObject("dragoman-rehearsal.orders", `Changed ${when}`);
}

/** Whether a change has come to life on every server. */
export function liveRow(
  promise: string,
  { servers = [] }: Awaited<ReturnType<typeof applyObjects>>,
): PromiseRow {
  const isLive = servers.every(({ outcome }) => outcome === "live");
  return holds(
    promise,
    isLive,
    servers.map(({ server, outcome }) => `${server} ${outcome}`).join(),
  );
}
