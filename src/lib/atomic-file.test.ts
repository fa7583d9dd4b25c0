import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { writeFileAtomic } from "./atomic-file.ts";

describe("writeFileAtomic", () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "atomic-"));
  });
  after(() => rm(directory, { recursive: true }));

  it("replaces a file whole, with the mode asked for and nothing left beside it", async () => {
    const path = join(directory, "whole");
    await writeFile(path, "a much longer text than the new one");
    await chmod(path, 0o666);

    await writeFileAtomic(path, "new");
    const secret = await stat(path);
    await writeFileAtomic(path, new Uint8Array([0x68, 0x69]), { mode: 0o644 });
    const open = await stat(path);

    assert.equal(await readFile(path, "utf8"), "hi");
    assert.deepEqual([secret.mode & 0o777, open.mode & 0o777], [0o600, 0o644]);
    assert.deepEqual(await readdir(directory), ["whole"]);
  });

  it("shows readers one of the contents, whole, while many write", async () => {
    const path = join(directory, "raced");
    const contents = Array.from({ length: 20 }, (_, n) => String(n).repeat(5_000));
    await writeFileAtomic(path, contents[0]!);

    const writing = Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    for (let i = 0; i < 20; i++) assert.ok(contents.includes(await readFile(path, "utf8")));
    await writing;

    assert.ok(contents.includes(await readFile(path, "utf8")));
  });

  it("leaves the old file and no other when it cannot replace it", async () => {
    const occupied = join(directory, "occupied");
    await mkdir(join(occupied, "by-a-file"), { recursive: true });
    const before = await readdir(directory);

    await assert.rejects(writeFileAtomic(occupied, "new"), /EISDIR|ENOTEMPTY|directory/i);
    await assert.rejects(writeFileAtomic(join(directory, "no", "such"), "new"), { code: "ENOENT" });

    assert.deepEqual(await readdir(directory), before);
  });

  it("is not stopped by what a crashed process with the same id left behind", async () => {
    const path = join(directory, "again");
    const leftovers = Array.from({ length: 100 }, (_, n) => `${path}.${process.pid}.${n}.tmp`);
    await Promise.all(leftovers.map((leftover) => writeFile(leftover, "half")));

    await writeFileAtomic(path, "new");

    assert.equal(await readFile(path, "utf8"), "new");
  });
});
