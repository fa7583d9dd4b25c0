import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { poll } from "../lib/wait.ts";
import { silentLogger as logger } from "../telemetry/logger.ts";
import { HopKeyring } from "./hop-keyring.ts";
import { HopRotation } from "./hop-rotation.ts";

/** An engine that was started with a key; it takes another one when it can. */
class Engine {
  key: string;
  canChange = true;
  refused = 0;

  constructor(key: string) {
    this.key = key;
  }

  useHopKey(key: string): Promise<void> {
    if (key === this.key || this.canChange) this.key = key;
    else {
      this.refused++;
      return Promise.reject(new Error("it does not start"));
    }
    return Promise.resolve();
  }
}

const until = async (isSo: () => boolean) =>
  assert.ok(await poll(() => isSo() || undefined, { timeoutMs: 5_000, intervalMs: 2 }));

describe("HopRotation", () => {
  let directory: string;
  let nowMs = 1_000_000;
  const open = (name: string) => HopKeyring.open({ file: join(directory, name), now: () => nowMs });

  before(async () => directory = await mkdtemp(join(tmpdir(), "dragoman-hop-")));
  after(() => rm(directory, { recursive: true }));

  it("brings a key whose time came while the engine was starting", async () => {
    const keyring = await open("starting");
    await keyring.rotate();
    const engine = new Engine(keyring.shown);
    nowMs += 60_000;
    assert.notEqual(keyring.shown, engine.key);

    const rotation = new HopRotation({ keyring, engine, logger });
    await until(() => engine.key === keyring.shown);
    assert.equal(await keyring.noteUse(keyring.shown), false, "it was not noted");
    rotation.stop();
  });

  it("tries on until the engine has the key, and lets servers believe the old one so long", async () => {
    const keyring = await open("refused");
    const old = keyring.shown;
    const engine = new Engine(old);
    engine.canChange = false;
    await keyring.rotate();
    nowMs += 60_000;

    const rotation = new HopRotation({ keyring, engine, logger, retryMs: 1 });
    await until(() => engine.refused >= 2);
    nowMs += 3_600_000;
    assert.deepEqual(rotation.accepted, [old, keyring.shown]);

    engine.canChange = true;
    await until(() => engine.key === keyring.shown);
    assert.equal(await keyring.noteUse(keyring.shown), false, "it was not noted");
    assert.deepEqual(rotation.accepted, [old, keyring.shown]);
    rotation.stop();
  });
});
