import type { ServerStatus } from "../../admin-api/api.ts";
import { delay } from "../../lib/wait.ts";
import { beginOdbOutage, unfitForOdbOutage } from "../faults/outage.ts";
import { formatMs, holds, none, noted, type PromiseRow, withinMs } from "../promises.ts";
import type { Scenario, Stage } from "../stage.ts";
import { applyObjects } from "../workload.ts";
import {
  changedChannel,
  convergedBoundMs,
  killKvdb,
  liveRow,
  unfitForKvdbOutage,
} from "./stores.ts";

/** All servers serve so long after they were killed, though ODB and KVDB are away. */
const servingBoundMs = 10_000;
/** For how long a server is waited for that has missed its bound. */
const servingLimitMs = 60_000;

export const coldStart: Scenario = {
  name: "cold-start",
  summary: "ODB, KVDB and all servers are killed; the servers start from their own disks",
  jobs: 10,
  unfit: (place) =>
    place.links === undefined
      ? "it leaves nobody to serve, which is done to no cluster but one of its own"
      : unfitForOdbOutage(place) ?? unfitForKvdbOutage(place),
  async rehearse(stage) {
    const { cluster, dose: { outageMs } } = stage;
    const before = await statuses(stage);
    const kvdb = await killKvdb(stage);
    const death = await stage.killAll();
    const killedMs = performance.now();
    const odb = await beginOdbOutage(stage.place, "gone");
    const away = stage.begin(`${kvdb.what}. ${odb.what}`);
    const [rows] = await Promise.all([
      startAll(stage, { death, killedMs, before }),
      delay(outageMs),
    ]);
    await odb.end();
    await kvdb.end();
    stage.end(away, "ODB and KVDB are back");
    const tookMs = await cluster.recovered();
    const changed = await applyObjects(cluster, [changedChannel("after the cold start")]);
    return [
      ...rows,
      withinMs("Every server has caught up after", tookMs, convergedBoundMs),
      liveRow("A change is live on every server again", changed),
    ];
  },
};

interface Death {
  readonly death: Awaited<ReturnType<Stage["killAll"]>>;
  readonly killedMs: number;
  readonly before: readonly ServerStatus[];
}

/** Starts every server while the stores are away, and waits until each has answered a client. */
async function startAll(
  stage: Stage,
  { death, killedMs, before }: Death,
): Promise<readonly PromiseRow[]> {
  const { cluster } = stage;
  const timeoutMs = servingLimitMs;
  const first = stage.answered(killedMs, { timeoutMs });
  const each = cluster.servers.map((server) => stage.answered(killedMs, { server, timeoutMs }));
  const started = Promise.all(cluster.servers.map(async (server) => {
    await cluster.start(server.name);
    cluster.setAway(server, false);
  }));
  const firstMs = await first;
  if (firstMs !== undefined) stage.end(death, "A server answers again", firstMs);
  const [answers] = await Promise.all([Promise.all(each), started]);
  const after = await statuses(stage);
  const lastMs = answers.includes(undefined) ? undefined : Math.max(...answers as number[]);
  return [
    noted("Nobody served for", firstMs === undefined ? "ever" : formatMs(firstMs - killedMs)),
    withinMs(
      "Every server serves from its own disk after",
      lastMs === undefined ? undefined : lastMs - killedMs,
      servingBoundMs,
    ),
    none("Servers that run something else than before", changedSince(before, after)),
    none(
      "Servers that do not say that ODB and KVDB are away",
      after.filter(({ odb, kvdb }) => odb.state !== "down" || kvdb.state !== "down")
        .map(({ name }) => name),
    ),
    await degradedRow(stage),
  ];
}

function statuses({ cluster }: Stage): Promise<readonly ServerStatus[]> {
  return Promise.all(cluster.servers.map((server) => cluster.status(server)));
}

function changedSince(
  before: readonly ServerStatus[],
  after: readonly ServerStatus[],
): readonly string[] {
  return after.filter(({ stateHash, revision }, index) =>
    stateHash !== before[index]?.stateHash || revision !== before[index].revision
  ).map(({ name, revision }) => `${name} at revision ${revision}`);
}

/** Whether the command that people look with says that something is wrong. */
async function degradedRow({ cluster }: Stage): Promise<PromiseRow> {
  const { stdout } = await cluster.command(["status", "--env", cluster.directory, "-o", "json"]);
  const { state }: { readonly state: string } = JSON.parse(stdout); // the command's own output
  return holds("dragoman status says that the cluster is degraded", state === "degraded", state);
}
