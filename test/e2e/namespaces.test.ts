import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { parse, stringify } from "yaml";
import { delay } from "../../src/lib/wait.ts";
import type { HeldLease } from "../../src/odb/lease-types.ts";
import { type LocalServer, RehearsalCluster } from "../../src/rehearsal/cluster.ts";
import { type RehearsalReport, runScenario } from "../../src/rehearsal/drive.ts";
import { none, type PromiseRow, withinMs } from "../../src/rehearsal/promises.ts";
import type { Stage } from "../../src/rehearsal/stage.ts";
import { applyObjects, channelObject } from "../../src/rehearsal/workload.ts";
import { createFarNetwork, type CutDirection, type FarNetwork } from "../faults/far-network.ts";
import type { DatabasePeer } from "../peers/database-process.ts";
import { startPostgresql } from "../peers/postgresql.ts";
import { dragoman, dragomanOk, type Quickstart, startQuickstart } from "./quickstart.ts";

/** What the far server needs of the others, each over a wire of its own; nobody cuts `admin`. */
const wireNames = ["odb", "kvdb", "balancer", "admin"] as const;
type WireName = (typeof wireNames)[number];

/** Longer than a lease lasts. */
const cutMs = 4_000;
const convergedBoundMs = 5_000;
/** A request that is sent to a server that has just been cut off may wait as long as this. */
const cutCostsMs = 5_000;

let network: FarNetwork<WireName>;
let postgresql: DatabasePeer;
let quickstart: Quickstart;
let cluster: RehearsalCluster;
/** The server in the far network. */
let far: LocalServer;

before(async () => {
  network = await createFarNetwork(wireNames);
  postgresql = await startPostgresql();
  const odbUrl = await postgresql.createDatabase("namespaces");
  quickstart = await startQuickstart(["--odb", "postgresql", "--odb-url", odbUrl], {
    DRAGOMAN_ODB_PASSWORD: postgresql.password,
  });
  await moveAway("server2");
  cluster = await RehearsalCluster.open(
    quickstart.directory,
    (words, { env = {} } = {}) => dragoman(words, { env: { ...env } }),
  );
  far = cluster.servers.find(({ name }) => name === "server2")!;
});

after(async () => {
  cluster?.close();
  await quickstart?.[Symbol.asyncDispose]();
  await postgresql?.stop();
  await network?.[Symbol.asyncDispose]();
});

interface ServerAddresses {
  http: { host: string };
  admin: { host: string; port: number };
  odb: { url: string };
  kvdb: { url: string };
  loadBalancer: { agentUrl: string };
}

/**
 * Starts a server anew in the far network, where it reaches everything over the wires, and the
 * other one with an admin API that can be reached from there.
 */
async function moveAway(server: string): Promise<void> {
  const directory = join(quickstart.directory, server);
  await dragomanOk(["stop", directory]);
  const { odb, kvdb, balancer, admin } = network.wires;
  const over = async (wire: typeof odb, address: string) => {
    const url = new URL(address);
    await wire.forward(Number(url.port));
    url.hostname = wire.near;
    return url.href.replace(/\/$/, "");
  };
  const near = join(quickstart.directory, "server1");
  await edit(near, (config) => Promise.resolve(void (config.admin.host = admin.near)));
  await edit(directory, async (config) => {
    config.odb.url = await over(odb, config.odb.url);
    config.kvdb.url = await over(kvdb, config.kvdb.url);
    config.loadBalancer.agentUrl = await over(balancer, config.loadBalancer.agentUrl);
    config.http.host = balancer.far;
    config.admin.host = admin.far;
  });
  await dragomanOk(["restart", near]);
  const started = network.spawn(resolve(import.meta.dirname!, "../../dragoman"), [
    "start",
    directory,
  ]);
  const [said, [exitCode]] = await Promise.all([textOf(started.stderr!), once(started, "exit")]);
  assert.equal(exitCode, 0, said);
}

/** Changes where a server is and looks, and tells the environment. */
async function edit(
  directory: string,
  change: (config: ServerAddresses) => Promise<void>,
): Promise<void> {
  const path = join(directory, "config.yaml");
  const config: ServerAddresses = parse(await readFile(path, "utf8")); // as quickstart wrote it
  const urlOf = ({ admin: { host, port } }: ServerAddresses) => `https://${host}:${port}`;
  const before = urlOf(config);
  await change(config);
  await writeFile(path, stringify(config));
  const environment = join(quickstart.directory, "config.yaml");
  const text = await readFile(environment, "utf8");
  await writeFile(environment, text.replaceAll(before, urlOf(config)));
}

/** Asks all servers in turn what they lead, until it is over, and notes what cannot be. */
function watchLeaders(): { end(): Promise<readonly string[]> } {
  const over = new AbortController();
  const wrong: string[] = [];
  const watching = (async () => {
    let newest = 0;
    while (!over.signal.aborted) {
      for (const server of cluster.servers) {
        // Asked after somebody had said to lead with a higher epoch: nobody may lead with this one.
        const told = await cluster.status(server).catch(() => undefined);
        const lease = told?.leases.find(({ name }: HeldLease) => name === "scheduler");
        if (lease === undefined) continue;
        if (lease.epoch < newest) {
          wrong.push(`${server.name} leads with ${lease.epoch} < ${newest}`);
        }
        newest = Math.max(newest, lease.epoch);
      }
      await delay(20);
    }
  })();
  return {
    async end() {
      over.abort();
      await watching;
      return wrong;
    },
  };
}

interface Cut {
  readonly what: string;
  readonly wires: readonly WireName[];
  readonly direction: CutDirection;
}

const cuts: readonly Cut[] = [
  { what: "the ODB", wires: ["odb"], direction: "both" },
  { what: "the KVDB", wires: ["kvdb"], direction: "both" },
  { what: "the balancer", wires: ["balancer"], direction: "both" },
  { what: "the ODB, which hears nothing of it", wires: ["odb"], direction: "sent" },
  { what: "the ODB, whose answers are lost", wires: ["odb"], direction: "received" },
  { what: "everything", wires: ["odb", "kvdb", "balancer"], direction: "both" },
];

/** Has the far server lead, which is who is to be cut off. */
async function makeFarLead(): Promise<void> {
  for (const { name } of cluster.servers) {
    if ((await cluster.leader()).server === far) return;
    if (name !== far.name) await cluster.command(["restart", join(quickstart.directory, name)]);
    await cluster.recovered();
  }
  assert.equal((await cluster.leader()).server.name, far.name);
}

/** Cuts, changes something meanwhile, and measures how long all take to be one again. */
async function partition(stage: Stage, { what, wires, direction }: Cut): Promise<PromiseRow> {
  if (wires.includes("odb")) await makeFarLead();
  const links = wires.map((name) => network.wires[name]);
  const costs = wires.includes("balancer") ? { costsMs: cutMs + cutCostsMs } : {};
  const fault = stage.begin(`${far.name} is cut off from ${what}`, costs);
  try {
    cluster.setAway(far, true);
    await Promise.all(links.map((wire) => wire.cut(direction)));
    const changed = channelObject("dragoman-rehearsal.orders", `Changed without ${what}`);
    await Promise.all([delay(cutMs), applyObjects(cluster, [changed])]);
  } finally {
    await Promise.all(links.map((wire) => wire.heal()));
    cluster.setAway(far, false);
    stage.end(fault, "The way is free again");
  }
  const name = `All is one again, after ${far.name} was cut off from ${what}, within`;
  return withinMs(name, await cluster.recovered(), convergedBoundMs);
}

function brokenRows({ promises }: RehearsalReport): readonly unknown[] {
  return promises.filter(({ verdict }) => verdict === "broken");
}

describe("A server in a network of its own", () => {
  it("is cut off from ODB, KVDB and balancer by turns: no promise is broken", async (t) => {
    const report = await runScenario({
      name: "partitions",
      summary: "The server that leads is cut off by the network",
      jobs: 10,
      async rehearse(stage) {
        const leaders = watchLeaders();
        const rows: PromiseRow[] = [];
        for (const cut of cuts) rows.push(await partition(stage, cut));
        return [...rows, none("Servers that led beside one another", await leaders.end())];
      },
    }, {
      place: { cluster, links: undefined },
      dose: { durationMs: 4_000, requestsPerSecond: 100, ticks: undefined, outageMs: cutMs },
      say: (line) => t.diagnostic(line),
      cleanUp: true,
    });

    for (const { promise, measured } of report.promises) t.diagnostic(`${promise}: ${measured}`);
    assert.deepEqual(brokenRows(report), []);
    const expired = (await cluster.schedulerTerms()).filter(({ end }) => end === "expired");
    const odbCuts = cuts.filter(({ wires }) => wires.includes("odb"));
    assert.deepEqual(expired.map(({ server }) => server), odbCuts.map(() => far.name));
  });

  it("runs exactly what the others run", async () => {
    const { exitCode, stdout } = await dragoman(["drift", "--env", quickstart.directory]);
    const states = await Promise.all(cluster.servers.map((server) => cluster.status(server)));

    assert.equal(exitCode, 0, stdout);
    assert.equal(new Set(states.map(({ stateHash }) => stateHash)).size, 1);
    assert.notEqual(states[0]?.stateHash, "");
  });
});
