import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { poll } from "../lib/wait.ts";
import { openOdb } from "../odb/open.ts";
import type { ClusterSnapshot, Odb, ServerReport } from "../odb/types.ts";
import { silentLogger } from "../telemetry/logger.ts";
import { DesiredState } from "./desired-state.ts";
import { Membership } from "./membership.ts";
import { OdbLink } from "./odb-link.ts";
import { OwnDisk } from "./own-disk.ts";
import { SnapshotFile } from "./snapshot-file.ts";
import { Presence } from "./presence.ts";

let directory: string;
let odb: Odb;
let link: OdbLink;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-cluster-"));
  odb = await openOdb({ url: `sqlite://${directory}/odb.db` });
  await odb.migrate();
  await odb.createCluster("test", { keyCheck: "x" });
  link = new OdbLink({ odb, cluster: "test", logger: silentLogger });
});

afterEach(async () => {
  await link.close();
  await rm(directory, { recursive: true, force: true });
});

async function putKey(name: string): Promise<void> {
  const change = { op: "put", kind: "ApiKey", name, spec: {}, references: [] } as const;
  await link.use((store) => store.change([change], { by: "test" }));
}

/** The same over another server's connection. */
async function putKeyElsewhere(name: string): Promise<void> {
  const change = { op: "put", kind: "ApiKey", name, spec: {}, references: [] } as const;
  await using other = await openOdb({ url: `sqlite://${directory}/odb.db` });
  await (await other.cluster("test")).change([change], { by: "test" });
}

/** A disk that takes everything. */
const directDisk = { keep: (_name: string, write: () => Promise<void>) => write() };

function follow(applied: ClusterSnapshot[], pollMs: number, logger = silentLogger): DesiredState {
  return new DesiredState({
    link,
    file: new SnapshotFile(join(directory, "snapshot.json")),
    disk: directDisk,
    apply: (snapshot) => {
      applied.push(snapshot);
      return Promise.resolve();
    },
    logger,
    pollMs,
  });
}

describe("DesiredState", () => {
  it("finds a change by itself when no hint arrives", async () => {
    const applied: ClusterSnapshot[] = [];
    const desired = follow(applied, 20);
    await desired.start();
    await putKey("a");

    const found = await poll(() => applied.find(({ objects }) => objects.length === 1), {
      timeoutMs: 5_000,
    });

    await desired.stop();
    assert.equal(found?.objects[0]?.name, "a");
    assert.equal(desired.clusterRevision, found?.revision);
  });

  it("applies a hinted change before check() returns, and nothing when nothing changed", async () => {
    const applied: ClusterSnapshot[] = [];
    const desired = follow(applied, 60_000);
    await desired.start();
    await putKey("a");

    await desired.check();
    await desired.check();

    await desired.stop();
    assert.deepEqual(applied.map(({ objects }) => objects.length), [0, 1]);
  });

  it("tries a state again whose application failed", async () => {
    let failures = 1;
    const seen: number[] = [];
    const desired = new DesiredState({
      link,
      file: new SnapshotFile(join(directory, "snapshot.json")),
      disk: directDisk,
      apply: ({ objects }) => {
        if (objects.length > 0 && failures-- > 0) throw new Error("not now");
        seen.push(objects.length);
        return Promise.resolve();
      },
      logger: silentLogger,
      pollMs: 20,
    });
    await desired.start();
    await putKey("a");

    const done = await poll(() => seen.includes(1) || undefined, { timeoutMs: 5_000 });

    await desired.stop();
    assert.equal(done, true);
  });
});

describe("A server whose ODB comes back", () => {
  it("looks at once, without waiting for its next poll", async () => {
    const applied: ClusterSnapshot[] = [];
    const desired = follow(applied, 60_000);
    await desired.start();
    await putKeyElsewhere("a");
    const lost = new PlatformError("ODB_UNREACHABLE", { address: "x", reason: "it is gone" });
    await assert.rejects(link.use(() => Promise.reject(lost)));

    await link.use((store) => store.revision());
    const found = await poll(() => applied.find(({ objects }) => objects.length === 1), {
      timeoutMs: 5_000,
    });

    await desired.stop();
    assert.equal(found?.objects[0]?.name, "a");
  });

  it("asks again over another connection when an answer never comes", async () => {
    const applied: ClusterSnapshot[] = [];
    const hung = Promise.withResolvers<never>();
    let isHanging = false;
    const use = link.use.bind(link);
    link.use = (work) => isHanging ? hung.promise : use(work);
    const desired = follow(applied, 20);
    await desired.start();
    isHanging = true;
    const asked = desired.check();
    await putKeyElsewhere("a");
    isHanging = false;

    await asked;
    const found = await poll(() => applied.find(({ objects }) => objects.length === 1), {
      timeoutMs: 10_000,
    });

    await desired.stop();
    assert.equal(found?.objects[0]?.name, "a");
  });
});

describe("A server whose disk takes nothing more", () => {
  it("brings a change to life all the same, and saves it when the disk takes it again", async () => {
    const folder = join(directory, "not-there-yet");
    const disk = new OwnDisk({
      directory,
      logFailure: () => undefined,
      logger: silentLogger,
      intervalMs: 20,
    });
    const file = new SnapshotFile(join(folder, "snapshot.json"));
    const applied: ClusterSnapshot[] = [];
    const desired = new DesiredState({
      link,
      file,
      disk,
      apply: (snapshot) => {
        applied.push(snapshot);
        return Promise.resolve();
      },
      logger: silentLogger,
      pollMs: 60_000,
    });
    await desired.start();
    await putKey("a");

    await desired.check();
    const meanwhile = disk.status();
    await mkdir(folder);
    disk.start();
    const saved = await poll(() => file.load(), { timeoutMs: 5_000 });

    await desired.stop();
    await disk.stop();
    assert.equal(applied.at(-1)?.objects.length, 1);
    assert.match(meanwhile.reason ?? "", /^state: ENOENT/);
    assert.deepEqual(saved?.objects.map(({ name }) => name), ["a"]);
    assert.equal(disk.status().state, "up");
  });
});

describe("A server whose ODB is gone", () => {
  // A directory in its place: the file cannot be opened, as a database that is down cannot.
  async function loseOdb(): Promise<void> {
    await link.close();
    await rename(join(directory, "odb.db"), join(directory, "gone.db"));
    odb = await openOdb({ url: `sqlite://${directory}/nowhere/odb.db`, lazy: true });
    link = new OdbLink({ odb, cluster: "test", logger: silentLogger });
  }

  it("starts from the state it saved", async () => {
    await putKey("a");
    const first = follow([], 60_000);
    await first.start();
    await first.stop();
    await loseOdb();
    const applied: ClusterSnapshot[] = [];

    const again = follow(applied, 60_000);
    await again.start();

    await again.stop();
    assert.deepEqual(applied.map(({ objects }) => objects.map(({ name }) => name)), [["a"]]);
    assert.equal(link.status().state, "down");
  });

  it("goes on without one that comes back with a schema it cannot use", async () => {
    const database = new DatabaseSync(join(directory, "odb.db"));
    database.exec("insert into schema_version values (99, 'later', 'then')");

    await assert.rejects(link.use((store) => store.revision()), {
      code: "ODB_UNREACHABLE",
      message: /schema version 99, made by a later Dragoman/,
      advice: /^Update this Dragoman/,
    });

    assert.equal(link.status().state, "down");
    database.exec("delete from schema_version where version = 99");
    database.close();
    assert.equal(await link.use((store) => store.revision()), 0);
    assert.equal(link.status().state, "up");
  });

  it("says that it has nothing to start from when it never ran", async () => {
    await loseOdb();

    await assert.rejects(
      follow([], 60_000).start(),
      (error) => isPlatformError(error, "SERVER_NO_STATE"),
    );
  });

  it("does not start from a saved state with a single flipped bit, and says so", async () => {
    await putKey("a");
    const first = follow([], 60_000);
    await first.start();
    await first.stop();
    await loseOdb();
    const file = join(directory, "snapshot.json");
    const damaged = await readFile(file);
    damaged[100] = damaged[100]! ^ 1;
    await writeFile(file, damaged);

    await assert.rejects(follow([], 60_000).start(), (error) => {
      assert.ok(isPlatformError(error, "SERVER_STATE_DAMAGED"));
      assert.match(error.message, /snapshot\.json" with the state saved last is damaged/);
      return true;
    });
  });
});

describe("Membership", () => {
  const reportOf = (more: Partial<ServerReport>): ServerReport => ({
    name: "server1",
    state: "up",
    url: "http://127.0.0.1:1",
    adminUrl: "https://127.0.0.1:2",
    version: "1",
    startedAt: new Date().toISOString(),
    revision: 1,
    stateHash: "",
    failures: [],
    incarnation: "1",
    details: null,
    ...more,
  });
  const row = async () => (await link.use((store) => store.listServers()))[0];

  it("keeps the server's row true and says goodbye", async () => {
    let revision = 1;
    const membership = new Membership({
      link,
      onRefused: () => assert.fail("Nobody else has the name"),
      report: () => reportOf({ revision }),
      presence: new Presence(),
      logger: silentLogger,
      intervalMs: 60_000,
    });

    await membership.report();
    const first = await row();
    revision = 2;
    await membership.report();
    const second = await row();
    await membership.leave("down");
    const last = await row();

    assert.deepEqual([first?.revision, first?.state], [1, "up"]);
    assert.equal(second?.revision, 2);
    assert.equal(last?.state, "down");
  });

  it("takes the row of the life before it, when that was not possible at the start", async () => {
    await link.use((store) => store.reportServer(reportOf({ incarnation: "0" })));
    const membership = new Membership({
      link,
      onRefused: () => assert.fail("The name was taken late"),
      takeLate: () => link.use((store) => store.reportServer(reportOf({}), { replaces: "0" })),
      report: () => reportOf({}),
      presence: new Presence(),
      logger: silentLogger,
      intervalMs: 60_000,
    });

    await membership.report();
    await membership.report();
    await membership.leave("down");

    assert.deepEqual([(await row())?.incarnation, (await row())?.state], ["1", "down"]);
  });

  it("hears once that another life has the row, and leaves that alone", async () => {
    let refusals = 0;
    const membership = new Membership({
      link,
      onRefused: () => refusals++,
      report: () => reportOf({}),
      presence: new Presence(),
      logger: silentLogger,
      intervalMs: 60_000,
    });
    await membership.report();
    const other = reportOf({ incarnation: "2" });
    await link.use((store) => store.reportServer(other, { replaces: "1" }));

    await membership.report();
    await membership.report();
    await membership.leave("down");

    assert.equal(refusals, 1);
    const { incarnation, state } = (await row())!;
    assert.deepEqual({ incarnation, state }, { incarnation: "2", state: "up" });
  });
});
