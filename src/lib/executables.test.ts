import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { findExecutable, findOnPath } from "./executables.ts";

describe("findOnPath", () => {
  let root = "";
  let path = "";
  const find = (...names: string[]) => findOnPath(names, path);

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "path-"));
    for (const folder of ["first", "second"]) {
      await mkdir(join(root, folder, "folder-tool"), { recursive: true });
    }
    await writeFile(join(root, "first", "plain-tool"), "");
    for (const file of ["first/both-tool", "second/both-tool", "second/plain-tool"]) {
      await writeFile(join(root, file), "#!/bin/sh\n");
      await chmod(join(root, file), 0o755);
    }
    path = ["", join(root, "first"), join(root, "second")].join(delimiter);
  });
  after(async () => {
    await rm(root, { recursive: true });
  });

  it("takes the first directory of PATH, and of several names the first", () => {
    assert.equal(find("both-tool"), join(root, "first", "both-tool"));
    assert.equal(find("plain-tool", "both-tool"), join(root, "second", "plain-tool"));
    assert.equal(find("no-such-tool", "both-tool"), join(root, "first", "both-tool"));
  });

  it("passes over files that may not be run, and over directories", () => {
    assert.equal(find("plain-tool"), join(root, "second", "plain-tool"));
    assert.equal(find("folder-tool"), undefined);
    assert.equal(find("no-such-tool"), undefined);
  });
});

describe("findExecutable", () => {
  it("looks on the PATH of this process", () => {
    assert.match(findExecutable("no-such-tool", "sh") ?? "", /\/sh$/);
  });
});
