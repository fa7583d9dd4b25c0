import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { damages } from "../../test/faults/damage.ts";
import { isPlatformError, PlatformError } from "../errors/platform-error.ts";
import type { ClusterSnapshot, ClusterStore } from "../odb/types.ts";
import { silentLogger } from "../telemetry/logger.ts";
import { DesiredState } from "./desired-state.ts";
import type { OdbLink } from "./odb-link.ts";
import { SnapshotFile } from "./snapshot-file.ts";

let directory: string;
let path: string;
let file: SnapshotFile;
let whole: Uint8Array;

const time = "2026-01-01T00:00:00.000Z";

/** Of 60 objects, with letters that take two, three and four bytes. */
function snapshot(revision: number): ClusterSnapshot {
  const objects = Array.from({ length: 60 }, (_, index) => ({
    kind: "RestChannel",
    name: `channel-${index}`,
    spec: {
      path: `/p${index}`,
      service: "s",
      description: `Straße ${index}, 東京 \u{1f980}\ufffd`,
    },
    revision,
    createdAt: time,
    updatedAt: time,
    updatedBy: "test",
  }));
  return { revision, objects, bundles: [{ file: "s.ts", hash: "ab".repeat(32) }] };
}

const newest = snapshot(7);

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-snapshot-"));
  path = join(directory, "snapshot.json");
  file = new SnapshotFile(path);
  await file.save(newest);
  whole = await readFile(path);
});

after(() => rm(directory, { recursive: true, force: true }));

/** As a server that starts, with an ODB that is there or not; what it brought to life. */
async function start(odb: "there" | "away"): Promise<readonly ClusterSnapshot[]> {
  const applied: ClusterSnapshot[] = [];
  const store = { snapshot: () => Promise.resolve(newest) } as Pick<ClusterStore, "snapshot">;
  const gone = new PlatformError("ODB_UNREACHABLE", { address: "odb", reason: "it is away" });
  const link: Pick<OdbLink, "use" | "onReturn" | "status"> = {
    use: (work) =>
      // All that a start asks is the snapshot.
      odb === "there" ? work(store as ClusterStore) : Promise.reject(gone),
    onReturn: () => {},
    status: () => ({ state: "up", engine: "none", address: "odb", since: time }),
  };
  const desired = new DesiredState({
    link: link as OdbLink, // of which nothing else is used
    file,
    disk: { keep: (_name, write) => write() },
    apply: (state) => Promise.resolve(void applied.push(state)),
    logger: silentLogger,
    pollMs: 60_000,
  });
  try {
    await desired.start();
  } finally {
    await desired.stop();
  }
  return applied;
}

const isDamaged = (error: unknown) => isPlatformError(error, "SERVER_STATE_DAMAGED");

describe("A server's saved state", () => {
  it("is never used when it is damaged, whichever way, and made anew from the ODB", async (t) => {
    const seed = randomInt(1_000_000);
    const all = damages(whole, { seed, bits: 200 });
    t.diagnostic(`${all.length} ways of damage, seed ${seed}`);

    for (const { what, bytes } of all) {
      await writeFile(path, bytes);
      await assert.rejects(start("away"), isDamaged, `${what}, seed ${seed}`);
      assert.deepEqual(await start("there"), [newest]);
      assert.deepEqual(Buffer.from(await readFile(path)), whole, `${what}, seed ${seed}`);
    }

    assert.ok(all.length > 250, `${all.length} ways`);
  });

  it("that is older is what serves while the ODB is away, and no longer than that", async () => {
    const older = snapshot(3);
    await file.save(older);

    assert.deepEqual(await start("away"), [older]);
    assert.deepEqual(await start("there"), [newest]);
    assert.deepEqual(await file.load(), newest);
  });

  it("that was left half written by a crash beside it is no state", async () => {
    await file.save(newest);
    await writeFile(`${path}.tmp`, whole.slice(0, 100));

    assert.deepEqual(await start("away"), [newest]);
  });
});
