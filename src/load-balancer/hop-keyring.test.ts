import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { isPlatformError } from "../errors/platform-error.ts";
import { HopKeyring } from "./hop-keyring.ts";

describe("HopKeyring", () => {
  let directory: string;
  let file: string;
  let nowMs = 1_000_000;
  const now = () => nowMs;

  before(async () => directory = await mkdtemp(join(tmpdir(), "dragoman-hop-")));
  after(() => rm(directory, { recursive: true }));
  beforeEach(() => file = join(directory, `${crypto.randomUUID()}.json`));

  it("makes a key of 32 bytes that only the owner can read, and finds it again", async () => {
    const made = await HopKeyring.open({ file, now });
    assert.match(made.shown, /^[\w-]{43}$/);
    assert.deepEqual(made.accepted, [made.shown]);
    assert.equal(made.changesInMs, undefined);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await HopKeyring.open({ file, now })).shown, made.shown);
  });

  it("shows a new key once servers know it, and gives up the old one later", async () => {
    const keyring = await HopKeyring.open({ file, now });
    const old = keyring.shown;
    nowMs += 60_000;
    await keyring.rotate();
    const [kept, fresh] = keyring.accepted;
    assert.equal(kept, old);
    assert.notEqual(fresh, old);
    assert.equal(keyring.shown, old);
    const waitMs = keyring.changesInMs!;
    assert.ok(waitMs > 5_000 && waitMs < 60_000);
    nowMs += waitMs;
    assert.equal(keyring.shown, fresh);
    assert.deepEqual(keyring.accepted, [old, fresh]);
    assert.equal(keyring.changesInMs, undefined);
    assert.equal((await HopKeyring.open({ file, now })).shown, fresh);
    assert.equal(await keyring.noteUse(fresh!), true);
    assert.equal(await keyring.noteUse(fresh!), false);
    nowMs += 600_000;
    assert.deepEqual(keyring.accepted, [old, fresh]);
    nowMs += 100_000;
    assert.deepEqual(keyring.accepted, [fresh]);
    assert.deepEqual((await HopKeyring.open({ file, now })).accepted, [fresh]);
  });

  it("keeps a key for as long as the balancer has not come to show the next one", async () => {
    const keyring = await HopKeyring.open({ file, now });
    const old = keyring.shown;
    await keyring.rotate();
    nowMs += 3_600_000;
    assert.notEqual(keyring.shown, old);
    assert.ok((await HopKeyring.open({ file, now })).accepted.includes(old));
    await keyring.noteUse(keyring.shown);
    nowMs += 600_000;
    assert.ok(keyring.accepted.includes(old));
  });

  it("keeps every key until its own time is over, however many follow", async () => {
    const keyring = await HopKeyring.open({ file, now });
    const used = [keyring.shown];
    for (let n = 0; n < 3; n++) {
      nowMs += 30_000;
      await keyring.rotate();
      nowMs += keyring.changesInMs!;
      await keyring.noteUse(keyring.shown);
      used.push(keyring.shown);
    }
    assert.deepEqual(keyring.accepted, used);
    assert.equal(new Set(used).size, 4);
    nowMs += 600_000;
    assert.deepEqual(keyring.accepted, used.slice(1));
    nowMs += 100_000;
    assert.deepEqual(keyring.accepted, used.slice(3));
  });

  it("goes on with the key in use when a rotation follows another at once", async () => {
    const keyring = await HopKeyring.open({ file, now });
    const old = keyring.shown;
    await keyring.rotate();
    const forgotten = keyring.accepted[1];
    await keyring.rotate();
    assert.equal(keyring.accepted.length, 2);
    assert.equal(keyring.shown, old);
    assert.ok(!keyring.accepted.includes(forgotten!));
  });

  it("refuses a damaged file without quoting it", async () => {
    for (const text of ["", "[]", '[{"key":"sesame","madeAt":1}]', "sesame"]) {
      await writeFile(file, text);
      await assert.rejects(
        HopKeyring.open({ file, now }),
        (error: unknown) =>
          isPlatformError(error, "BALANCER_HOP_KEYS") && !error.message.includes("sesame"),
      );
      assert.equal(await readFile(file, "utf8"), text);
    }
  });
});
