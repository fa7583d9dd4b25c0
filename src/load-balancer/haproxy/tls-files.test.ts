import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { componentPaths } from "../../config/component.ts";
import { writeTlsFiles } from "./tls-files.ts";

describe("writeTlsFiles", () => {
  let root: string;
  before(async () => root = await mkdtemp(join(tmpdir(), "dragoman-tls-files-")));
  after(() => rm(root, { recursive: true }));

  it("writes nothing that is there already", async () => {
    const paths = componentPaths(root);
    await mkdir(paths.tls);
    await writeFile(join(paths.tls, "ca.pem"), "an authority");
    const { directory, clusterCa } = await writeTlsFiles({ tls: undefined }, paths);
    const file = join(directory, clusterCa!);
    const { ino } = await stat(file);

    assert.deepEqual((await writeTlsFiles({ tls: undefined }, paths)).clusterCa, clusterCa);

    assert.equal((await stat(file)).ino, ino);
    assert.equal(await readFile(file, "utf8"), "an authority");
  });
});
