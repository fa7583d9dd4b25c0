import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createComponent } from "../../config/component.ts";
import { layDemo } from "./first-start.ts";
import { refuseUsedEnvironment, removeEnvironment } from "./remove.ts";

describe("A directory for quickstart", () => {
  let parent = "";
  let next = 0;
  const fresh = () => join(parent, String(next++));
  before(async () => {
    parent = await mkdtemp(join(tmpdir(), "dragoman-remove-"));
  });
  after(() => rm(parent, { recursive: true, force: true }));

  async function makeEnvironment(): Promise<string> {
    const directory = fresh();
    const config = {
      cluster: "c",
      environment: "development",
      components: [],
      adminUrls: ["https://127.0.0.1:1"],
    };
    await layDemo(directory);
    await createComponent(directory, { component: "environment", config });
    await mkdir(join(directory, "server1"));
    return directory;
  }

  it("may be new or empty", async () => {
    await refuseUsedEnvironment(fresh(), { force: false });
    await refuseUsedEnvironment(await mkdtemp(join(parent, "empty-")), { force: true });
  });

  it("may not hold anything without --force, and nothing foreign with it", async () => {
    const directory = await mkdtemp(join(parent, "foreign-"));
    await writeFile(join(directory, "thesis.txt"), "all my work");

    await assert.rejects(refuseUsedEnvironment(directory, { force: false }), {
      code: "CLI_DIRECTORY_NOT_EMPTY",
    });
    await assert.rejects(refuseUsedEnvironment(directory, { force: true }), {
      code: "CLI_NOT_OURS",
      details: ["thesis.txt"],
    });
  });

  it("may hold an environment of ours with --force, or what an interrupted creation left", async () => {
    const directory = await makeEnvironment();
    const half = fresh();
    await mkdir(join(half, "ca"), { recursive: true });

    await refuseUsedEnvironment(directory, { force: true });
    await refuseUsedEnvironment(half, { force: true });
  });

  it("is gone after removal", async () => {
    const directory = await makeEnvironment();

    await removeEnvironment(directory);

    await assert.rejects(readdir(directory), { code: "ENOENT" });
  });

  it("keeps the user's own files and changed services", async () => {
    const directory = await makeEnvironment();
    await writeFile(join(directory, "notes.md"), "mine");
    await writeFile(join(directory, "services", "demo-hello.ts"), "// changed");

    await removeEnvironment(directory);

    assert.deepEqual((await readdir(directory)).sort(), ["notes.md", "services"]);
    assert.deepEqual(await readdir(join(directory, "services")), ["demo-hello.ts"]);
  });
});
