import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerStatus } from "../../admin-api/api.ts";
import { SnapshotFile } from "../../cluster/snapshot-file.ts";
import { componentPaths } from "../../config/component.ts";
import { reasonOf } from "../../errors/platform-error.ts";
import { delay, poll } from "../../lib/wait.ts";
import type { LocalServer } from "../cluster.ts";
import { beginOdbOutage } from "../faults/outage.ts";
import { SmallDisk, unfitForSmallDisk } from "../faults/small-disk.ts";
import { holds, none, type PromiseRow, withinMs } from "../promises.ts";
import type { Scenario, Stage } from "../stage.ts";
import { applyObjects } from "../workload.ts";
import { unfitForCutOff } from "./cut-off.ts";
import { changedChannel, liveRow } from "./stores.ts";

/** Servers say so long after it began that they cannot write, and after its end that they can. */
const noticedBoundMs = 5_000;
/** How long a server may take until it answers clients after its start. */
const servingLimitMs = 30_000;

export const diskFull: Scenario = {
  name: "disk-full",
  summary: "The disk that servers write to is full, then read-only, too, then good again",
  jobs: 10,
  unfit: ({ links }) =>
    links === undefined
      ? "its servers would have to be started anew on a disk that can be filled"
      : unfitForSmallDisk(),
  async rehearse(stage) {
    const disk = await SmallDisk.open();
    try {
      for (const server of stage.cluster.servers) await moveIn(stage, disk, server);
      return [...await breakDisk(stage, disk), ...await moveOut(stage, disk)];
    } finally {
      await disk.close();
    }
  },
};

/** What a running server writes to; it has its log open, so that it is started anew for this. */
function foldersOf({ directory }: LocalServer): readonly string[] {
  const { state, log } = componentPaths(directory);
  return [state, log];
}

async function moveIn(stage: Stage, disk: SmallDisk, server: LocalServer): Promise<void> {
  await startAnew(stage, server, {
    meanwhile: async () => {
      for (const folder of foldersOf(server)) await disk.hold(folder);
    },
    within: disk.within,
    what: `${server.name} is started anew on a small disk`,
  });
  await stage.cluster.recovered();
}

/** Stops a server in order and starts it again; resolves when clients have its answers. */
async function startAnew(
  stage: Stage,
  server: LocalServer,
  { meanwhile, within = [], what }: {
    readonly meanwhile: () => Promise<void>;
    readonly within?: readonly string[];
    readonly what: string;
  },
): Promise<void> {
  const { cluster } = stage;
  const fault = stage.begin(what);
  cluster.setAway(server, true);
  await cluster.stop(server.name);
  await meanwhile();
  const startedMs = performance.now();
  await cluster.start(server.name, { within });
  cluster.setAway(server, false);
  await stage.answered(startedMs, { server, timeoutMs: servingLimitMs });
  stage.end(fault, `${server.name} is back`);
}

async function breakDisk(stage: Stage, disk: SmallDisk): Promise<readonly PromiseRow[]> {
  const { dose: { outageMs } } = stage;
  const before = await statuses(stage);
  await disk.fill();
  const full = stage.begin("The disk is full");
  const noticed = await untilDisks(stage, "down");
  const rows = [
    withinMs("Every server says that it cannot write after", noticed, noticedBoundMs),
    await statusRow(stage),
    await changeRow(stage, "A change is live though the disk is full"),
    await deploymentRow(stage),
    none("Saved states that are damaged by the full disk", await damaged(stage, disk)),
  ];
  await delay(outageMs / 2);
  const readOnly = stage.begin("What servers save to is read-only, too");
  await setReadOnly(stage, disk, true);
  rows.push(await changeRow(stage, "A change is live though the disk is read-only"));
  await delay(outageMs / 2);
  rows.push(none("Servers that think they can write", await thoseWithDisk(stage, "up")));
  await setReadOnly(stage, disk, false);
  stage.end(readOnly, "What servers save to can be written, if there were room");
  await disk.makeRoom();
  stage.end(full, "The disk has room again");
  const mended = await untilDisks(stage, "up");
  return [
    ...rows,
    withinMs("Every server has written everything down after", mended, noticedBoundMs),
    none("Saved states that are not the newest, whole", await unsaved(stage, disk)),
    none("Servers and workers that ended", ended(before, await statuses(stage))),
    none("Logs without exactly one alarm", await wrongLogs(stage, disk)),
  ];
}

/**
 * Starts every server anew on its ordinary disk. An ODB that is no file is away meanwhile, so that
 * servers can only start from what they have saved.
 */
async function moveOut(stage: Stage, disk: SmallDisk): Promise<readonly PromiseRow[]> {
  const { cluster } = stage;
  const before = await statuses(stage);
  const isFile = unfitForCutOff(stage.place) !== undefined;
  const odb = isFile ? undefined : await beginOdbOutage(stage.place, "down");
  try {
    for (const server of cluster.servers) {
      await startAnew(stage, server, {
        meanwhile: async () => {
          for (const folder of foldersOf(server)) await disk.giveBack(folder);
        },
        what: `${server.name} is started anew ${isFile ? "on its own disk" : "without an ODB"}`,
      });
    }
    const after = await statuses(stage);
    const others = after.filter(({ stateHash }, index) => stateHash !== before[index]?.stateHash);
    return [none("Servers that start with something else", others.map(({ name }) => name))];
  } finally {
    await odb?.end();
    await cluster.recovered();
  }
}

/** Their logs are open all the time, and so stay as they are: full. */
async function setReadOnly(stage: Stage, disk: SmallDisk, isReadOnly: boolean): Promise<void> {
  for (const { directory } of stage.cluster.servers) {
    await disk.setReadOnly(componentPaths(directory).state, isReadOnly);
  }
}

function statuses({ cluster }: Stage): Promise<readonly ServerStatus[]> {
  return Promise.all(cluster.servers.map((server) => cluster.status(server)));
}

async function thoseWithDisk(stage: Stage, state: "up" | "down"): Promise<readonly string[]> {
  return (await statuses(stage)).filter(({ disk }) => disk.state === state)
    .map(({ name }) => name);
}

/** How long it takes until all servers say the same of their disk. */
async function untilDisks(stage: Stage, state: "up" | "down"): Promise<number | undefined> {
  const began = performance.now();
  const { length } = stage.cluster.servers;
  return await poll(
    async () =>
      (await thoseWithDisk(stage, state)).length === length ? performance.now() - began : undefined,
    { timeoutMs: 30_000 },
  );
}

async function changeRow({ cluster }: Stage, promise: string): Promise<PromiseRow> {
  return liveRow(promise, await applyObjects(cluster, [changedChannel(promise)]));
}

/** Code is run from the disk, so that it cannot be brought to a server that has no room for it. */
async function deploymentRow({ workload }: Stage): Promise<PromiseRow> {
  const { outcome, servers } = await workload.deploy(2);
  const reasons = servers.flatMap(({ reason = "" }) => /ENOSPC[^,]*/.exec(reason)?.[0] ?? []);
  const isKept = outcome === "rejected" && reasons.length > 0;
  return holds("A deployment is refused with the reason", isKept, reasons[0] ?? outcome);
}

/** Servers whose saved state cannot be read, or that have left half a file behind. */
async function damaged({ cluster }: Stage, disk: SmallDisk): Promise<readonly string[]> {
  const found: string[] = [];
  for (const server of cluster.servers) {
    const { state } = componentPaths(server.directory);
    try {
      if (await loadSaved(server, disk) === undefined) found.push(`${server.name} has none`);
    } catch (error) {
      found.push(`${server.name}: ${reasonOf(error)}`);
    }
    const files = await readdir(disk.seen(state), { recursive: true });
    found.push(...files.filter((file) => file.endsWith(".tmp")));
  }
  return found;
}

async function unsaved(stage: Stage, disk: SmallDisk): Promise<readonly string[]> {
  const found = [...await damaged(stage, disk)];
  for (const server of stage.cluster.servers) {
    const saved = await loadSaved(server, disk);
    const { clusterRevision } = await stage.cluster.status(server);
    if (saved?.revision !== clusterRevision) {
      found.push(`${server.name} has saved ${saved?.revision} of ${clusterRevision}`);
    }
  }
  return found;
}

function loadSaved({ directory }: LocalServer, disk: SmallDisk) {
  return new SnapshotFile(disk.seen(join(componentPaths(directory).state, "snapshot.json"))).load();
}

function ended(before: readonly ServerStatus[], after: readonly ServerStatus[]): readonly string[] {
  const processes = (
    { name, pid, workers }: ServerStatus,
  ) => [
    `${name} ${pid}`,
    ...workers.map((worker) => `worker ${worker.id} of ${name} ${worker.pid}`),
  ];
  const living = new Set(after.flatMap(processes));
  return before.flatMap(processes).filter((one) => !living.has(one));
}

/** Servers whose log, now that there is room for it, does not say once what an operator must know. */
async function wrongLogs({ cluster }: Stage, disk: SmallDisk): Promise<readonly string[]> {
  const found = await Promise.all(cluster.servers.map(async ({ name, directory }) => {
    const file = disk.seen(join(componentPaths(directory).log, "server.log"));
    const lines = (await readFile(file, "utf8")).split("\n");
    const alarms = lines.filter((line) => line.includes(alarmText));
    return alarms.length === 1 ? [] : [`${name} has ${alarms.length}`];
  }));
  return found.flat();
}

const alarmText = "This server could not write to its disk";

/** What an operator sees who looks. */
async function statusRow({ cluster }: Stage): Promise<PromiseRow> {
  const { stdout } = await cluster.command(["status", "--env", cluster.directory]);
  const alarms = stdout.split("\n").filter((line) =>
    /^Alarm: \S+ cannot write to its disk/.test(line)
  );
  const isKept = alarms.length === cluster.servers.length;
  return holds("dragoman status has one alarm for each server", isKept, String(alarms.length));
}
