import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { poll } from "../lib/wait.ts";
import { createLogger } from "../telemetry/logger.ts";
import { OwnDisk } from "./own-disk.ts";

let directory: string;
let lines: Record<string, unknown>[];
let logFailure: string | undefined;
let disk: OwnDisk;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-disk-"));
  lines = [];
  logFailure = undefined;
  disk = new OwnDisk({
    directory,
    logFailure: () => logFailure,
    logger: createLogger({ write: (line) => lines.push(JSON.parse(line)) }),
    intervalMs: 10,
  });
});

afterEach(async () => {
  await disk.stop();
  await rm(directory, { recursive: true, force: true });
});

const untilState = (wanted: "up" | "down") =>
  poll(() => disk.status().state === wanted || undefined, { timeoutMs: 5_000 });

function full(): Promise<void> {
  return Promise.reject(new Error("no space left on device"));
}

describe("A server's own disk", () => {
  it("is asked again until it takes what could not be written, with one alarm in all", async () => {
    let isFull = true;
    let writes = 0;
    const write = () => {
      writes++;
      return isFull ? full() : Promise.resolve();
    };

    await disk.keep("state", write);
    await disk.keep("keys", full);
    const { state, reason } = disk.status();
    await disk.keep("keys", () => Promise.resolve());
    isFull = false;
    disk.start();

    assert.equal(await untilState("up"), true);
    const written = writes;
    await disk.keep("other", () => Promise.resolve());
    assert.deepEqual([state, reason], ["down", "state: no space left on device"]);
    assert.equal(writes, written, "what is written is not written again");
    assert.deepEqual(lines.map(({ level, msg, reason }) => [level, msg, reason]), [
      ["error", "This server cannot write to its disk; serving goes on", reason],
      ["warn", "This server could not write to its disk, and can again", reason],
    ]);
    assert.match(String(lines[1]?.["since"]), /^\d{4}-.*Z$/);
  });

  it("writes nothing old over what is newer", async () => {
    const written: string[] = [];
    const release = Promise.withResolvers<void>();
    const first = disk.keep("state", async () => {
      await release.promise;
      written.push("old");
    });
    const second = disk.keep("state", () => {
      written.push("new");
      return Promise.resolve();
    });

    release.resolve();
    await Promise.all([first, second]);

    assert.equal(written.at(-1), "new");
    assert.equal(disk.status().state, "up");
  });

  it("is looked at though nothing is to be written, and nothing is left there", async () => {
    disk.start();
    assert.equal(await untilState("up"), true);

    await rm(directory, { recursive: true });
    assert.equal(await untilState("down"), true);
    assert.match(disk.status().reason ?? "", /ENOENT/);
  });

  it("is no good while lines of the log are lost", async () => {
    logFailure = "ENOSPC: no space left on device, write";
    disk.start();
    assert.equal(await untilState("down"), true);
    const { reason } = disk.status();
    logFailure = undefined;

    assert.equal(await untilState("up"), true);
    await disk.stop();
    assert.equal(reason, "log: ENOSPC: no space left on device, write");
    assert.deepEqual(await readdir(directory), []);
  });
});
