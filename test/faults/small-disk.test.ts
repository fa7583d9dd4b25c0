import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { SmallDisk } from "../../src/rehearsal/faults/small-disk.ts";

let directory: string;
let disk: SmallDisk;

beforeEach(async () => {
  const parent = await mkdtemp(join(tmpdir(), "dragoman-disk-test-"));
  directory = join(parent, "state");
  await mkdir(directory);
  await writeFile(join(directory, "kept"), "before");
  disk = await SmallDisk.open();
  await disk.hold(directory);
});

afterEach(async () => {
  await disk?.close();
  await rm(join(directory, ".."), { recursive: true, force: true });
});

/** Writes a file as a program does that sees the disk. */
async function write(name: string, text: string): Promise<void> {
  const [program, ...words] = disk.within;
  const script = 'printf %s "$1" | tee "$0"';
  await promisify(execFile)(program!, [...words, "sh", "-c", script, join(directory, name), text]);
}

describe("A small disk", () => {
  it("is seen by programs within it, and by nobody else", async () => {
    await write("new", "within");

    assert.equal(await readFile(disk.seen(join(directory, "new")), "utf8"), "within");
    assert.equal(await readFile(disk.seen(join(directory, "kept")), "utf8"), "before");
    assert.deepEqual(await readdir(directory), ["kept"]);
  });

  it("takes nothing more once it is full, until there is room", async () => {
    await disk.fill();
    await assert.rejects(write("new", "more"), /No space left on device/);
    await disk.makeRoom();

    await write("new", "more");
    assert.equal(await readFile(disk.seen(join(directory, "new")), "utf8"), "more");
  });

  it("can be read-only", async () => {
    await disk.setReadOnly(directory, true);
    await assert.rejects(write("kept", "after"), /Read-only file system/);
    await disk.setReadOnly(directory, false);

    await write("kept", "after");
    assert.equal(await readFile(disk.seen(join(directory, "kept")), "utf8"), "after");
  });

  it("gives back what was written to it", async () => {
    await write("kept", "after");
    await disk.giveBack(directory);

    assert.equal(await readFile(join(directory, "kept"), "utf8"), "after");
  });
});
