import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, before, describe, it } from "node:test";
import { findProjectFiles, requireProject } from "./project-files.ts";

const service = `import { defineService } from "dragoman";\nexport const x = defineService({});\n`;
const files = {
  "services/a.ts": service,
  "services/deep/b.ts": service,
  "services/deep/words.ts": "export const word = 1;\n",
  "services/a.test.ts": service,
  "services/thread.ts": `export const t = defineThreadTask({});\n`,
  "lib/c.ts": service,
  "objects/x.yaml": "",
  "objects/deep/y.yml": "",
  "objects/notes.md": "",
  "other.yaml": "",
  "dragoman.d.ts": "",
  "node_modules/p/index.ts": service,
  ".dragoman/dev/services/z.ts": service,
  "demo/component.json": "{}",
  "demo/services/d.ts": service,
};

describe("The files of a project", () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-project-"));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("are told apart by place and content; packages, hidden files and environments are none", async () => {
    const found = await findProjectFiles(directory);
    const names = (paths: readonly string[]) => paths.map((path) => relative(directory, path));

    assert.deepEqual(names(found.services), [
      "services/a.ts",
      "services/deep/b.ts",
      "services/thread.ts",
    ]);
    assert.deepEqual(names(found.tests), ["services/a.test.ts"]);
    assert.deepEqual(names(found.objects), ["objects/deep/y.yml", "objects/x.yaml"]);
    assert.deepEqual(names(found.sources), [
      "dragoman.d.ts",
      "lib/c.ts",
      "services/a.test.ts",
      "services/a.ts",
      "services/deep/b.ts",
      "services/deep/words.ts",
      "services/thread.ts",
    ]);
    assert.ok(!names(found.directories).includes("demo"));
  });

  it("need a directory", async () => {
    await assert.rejects(requireProject(join(directory, "nope")), { code: "CLI_NO_PROJECT" });
    await assert.rejects(requireProject(join(directory, "other.yaml")), { code: "CLI_NO_PROJECT" });
  });
});
