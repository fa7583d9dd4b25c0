import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { runCaptured } from "./captured-io.ts";
import { commandPaths, loadCommand, loadCommands } from "./registry.ts";

const here = import.meta.dirname!;
const golden = join(here, "../../test/golden/cli");

describe("The command registry", () => {
  it("has every file of commands/ once, and nothing else", async () => {
    const entries = await readdir(join(here, "commands"), { recursive: true });
    const files = entries.filter((name) => name.endsWith(".ts")).sort();
    const source = await readFile(join(here, "registry.ts"), "utf8");

    const imported = [...source.matchAll(/import\("\.\/commands\/([^"]+)"\)/g)].map(([, path]) =>
      path
    );

    assert.deepEqual(imported.sort(), files);
  });

  it("finds each command under the path that the command itself names", async () => {
    for (const path of commandPaths) assert.equal((await loadCommand(path))?.path, path);
  });

  it("demands a one-line summary and examples that are command lines of that command", async () => {
    for (const { path, summary, examples } of await loadCommands("")) {
      assert.match(summary, /^[A-Z].{9,110}[^.]$/, path);
      for (const example of examples) assert.ok(example.includes(`dragoman ${path}`), example);
    }
  });

  it("has no option of another spelling than camelCase, and one short flag for one meaning", async () => {
    const shorts = new Map<string, string>();
    for (const { path, options } of await loadCommands("")) {
      for (const [name, { short }] of Object.entries(options)) {
        assert.match(name, /^[a-z][a-zA-Z]*$/, path);
        if (short !== undefined) {
          assert.equal(shorts.get(short) ?? name, name, `-${short} of ${path}`);
          shorts.set(short, name);
        }
      }
    }
  });
});

describe("Help", () => {
  const texts = ["", "ca", "ca create", "quickstart", "create", ...commandPaths];

  for (const path of texts) {
    it(`of "${path === "" ? "dragoman" : path}" is what the golden file says`, async () => {
      const words = path === "" ? [] : path.split(" ");
      const file = join(golden, `${path === "" ? "dragoman" : words.join("-")}.txt`);

      const { code, stdout, stderr } = await runCaptured([...words, "--help"]);

      assert.equal(code, 0);
      assert.equal(stderr, "");
      assert.match(stdout, /\nExamples:\n {2}\S/);
      if (process.env["UPDATE_GOLDEN"] === "1") {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, stdout);
      }
      assert.equal(stdout, await readFile(file, "utf8"));
    });
  }

  it("is the same with -h and with the word help first", async () => {
    const long = await runCaptured(["ca", "list", "--help"]);

    assert.deepEqual(await runCaptured(["ca", "list", "-h"]), long);
    assert.deepEqual(await runCaptured(["help", "ca", "list"]), long);
  });

  it("has no golden file without a command", async () => {
    const wanted = texts.map((path) =>
      `${path === "" ? "dragoman" : path.replaceAll(" ", "-")}.txt`
    );

    assert.deepEqual((await readdir(golden)).sort(), wanted.sort());
  });
});
