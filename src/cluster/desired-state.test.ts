import assert from "node:assert/strict";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import { poll } from "../lib/wait.ts";
import { openOdb } from "../odb/open.ts";
import type { ClusterSnapshot, Odb } from "../odb/types.ts";
import { createLogger, silentLogger } from "../telemetry/logger.ts";
import { DesiredState } from "./desired-state.ts";
import { Membership } from "./membership.ts";
import { OdbLink } from "./odb-link.ts";
import { SnapshotFile } from "./snapshot-file.ts";

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

function follow(applied: ClusterSnapshot[], pollMs: number, logger = silentLogger): DesiredState {
  return new DesiredState({
    link,
    file: new SnapshotFile(join(directory, "snapshot.json"), logger),
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
      file: new SnapshotFile(join(directory, "snapshot.json"), silentLogger),
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
  it("brings a change to life all the same, and says that it is not saved", async () => {
    const lines: string[] = [];
    const logger = createLogger({ write: (line) => lines.push(line) });
    const applied: ClusterSnapshot[] = [];
    const desired = new DesiredState({
      link,
      file: new SnapshotFile(join(directory, "no-such-directory", "snapshot.json"), logger),
      apply: (snapshot) => {
        applied.push(snapshot);
        return Promise.resolve();
      },
      logger,
      pollMs: 60_000,
    });
    await desired.start();
    await putKey("a");

    await desired.check();

    await desired.stop();
    assert.equal(applied.at(-1)?.objects.length, 1);
    assert.match(lines.join("\n"), /could not be saved to disk/);
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
    const whole = await readFile(file);
    const lines: string[] = [];
    const logger = createLogger({ write: (line) => lines.push(line) });

    for (let at = 0; at < whole.length; at += 37) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ 1;
      await writeFile(file, damaged);
      await assert.rejects(
        follow([], 60_000, logger).start(),
        (error) => isPlatformError(error, "SERVER_NO_STATE"),
      );
    }
    for (const length of [0, 10, 65, whole.length - 1]) {
      await writeFile(file, whole.subarray(0, length));
      await assert.rejects(
        follow([], 60_000, logger).start(),
        (error) => isPlatformError(error, "SERVER_NO_STATE"),
      );
    }

    assert.match(lines.join("\n"), /Saved state is damaged/);
  });
});

describe("Membership", () => {
  it("keeps the server's row true and says goodbye", async () => {
    let revision = 1;
    const membership = new Membership({
      link,
      name: "server1",
      report: () => ({
        name: "server1",
        state: "up",
        url: "http://127.0.0.1:1",
        adminUrl: "https://127.0.0.1:2",
        version: "1",
        startedAt: new Date().toISOString(),
        revision,
        stateHash: "",
        failures: [],
        incarnation: "1",
        details: null,
      }),
      logger: silentLogger,
      intervalMs: 60_000,
    });
    const row = async () => (await link.use((store) => store.listServers()))[0];

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
});
