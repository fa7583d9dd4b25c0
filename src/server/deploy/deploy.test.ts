import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isPlatformError } from "../../errors/platform-error.ts";
import { sha256Hex } from "../../lib/canonical-json.ts";
import { BundleFiles } from "./bundle-files.ts";
import { bundleFile, bundleSource, stopBundler } from "./bundle.ts";
import { TrialProcesses } from "./trial-processes.ts";

let directory: string;
const trials = new TrialProcesses();

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "dragoman-deploy-"));
});

after(async () => {
  await stopBundler();
  await trials[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const goodSource = `
import { defineService, z } from "dragoman";
interface Answer { readonly twice: number }
export const double = defineService({
  name: "math.double",
  description: "Doubles a number",
  input: z.object({ value: z.number() }),
  output: z.object({ twice: z.number() }),
  handle: ({ input }): Answer => ({ twice: input.value * 2 }),
});
`;

async function write(name: string, source: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, source);
  return path;
}

async function tryText(name: string, source: string) {
  const { code, sourceMap } = await bundleFile(await write(name, source));
  const files = new BundleFiles(join(directory, "bundles"));
  const key = { file: name, hash: sha256Hex(code) };
  return await trials.try(
    await files.ensure(key, () => Promise.resolve({ ...key, code, sourceMap })),
  );
}

describe("bundleFile", () => {
  it("makes the same bundle of the same source wherever it lies", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "dragoman-elsewhere-"));
    try {
      await writeFile(join(elsewhere, "math.ts"), goodSource);

      const one = await bundleFile(await write("math.ts", goodSource));
      const two = await bundleFile(join(elsewhere, "math.ts"));

      assert.equal(one.name, "math.ts");
      assert.equal(sha256Hex(one.code), sha256Hex(two.code));
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });

  it("names file, line and column of a syntax error", async () => {
    const path = await write("syntax.ts", "export const a = 1;\nexport const b = ;\n");

    await assert.rejects(bundleFile(path), (error) => {
      assert.ok(isPlatformError(error, "DEPLOY_COMPILE"));
      assert.match(error.message, /syntax\.ts:2:18: Unexpected ";"/);
      return true;
    });
  });

  it("names the import that cannot be found", async () => {
    const path = await write("import.ts", 'import x from "./nowhere.ts";\nexport { x };\n');

    await assert.rejects(bundleFile(path), (error) => {
      assert.ok(isPlatformError(error, "DEPLOY_COMPILE"));
      assert.match(error.message, /import\.ts:1:15: .*nowhere/);
      return true;
    });
  });

  it("says that a file is missing, or is a directory", async () => {
    for (const path of [join(directory, "missing.ts"), directory]) {
      await assert.rejects(
        bundleFile(path),
        (error) => isPlatformError(error, "DEPLOY_FILE_UNREADABLE"),
      );
    }
  });
});

describe("bundleSource", () => {
  it("makes the same bundle as the file does, with its imports where it would lie", async () => {
    await mkdir(join(directory, "own/lib"), { recursive: true });
    await writeFile(
      join(directory, "own/lib/twice.ts"),
      "export const twice = (n: number) => 2 * n;\n",
    );
    const source = `${goodSource}\nimport { twice } from "./lib/twice.ts";\nexport { twice };\n`;
    await writeFile(join(directory, "own/math.ts"), source);

    const file = await bundleFile(join(directory, "own/math.ts"));
    const text = await bundleSource({
      name: "math.ts",
      source,
      directory: join(directory, "own"),
    });

    assert.equal(text.code, file.code);
    assert.deepEqual(JSON.parse(text.sourceMap).sources, JSON.parse(file.sourceMap).sources);
  });

  it("takes Node's own modules alone, and names any other import with its line", async () => {
    const good = `import { join } from "node:path";\n${goodSource}\nexport { join };\n`;
    const bundle = await bundleSource({ name: "math.ts", source: good });
    assert.match(bundle.code, /from "node:path"/);

    const bad = ["lodash", "./lib.ts", "/etc/passwd", "https://example.com/x.js", "../x.ts"];
    for (const path of bad) {
      await assert.rejects(
        bundleSource({ name: "math.ts", source: `import x from "${path}";\nexport { x };\n` }),
        (error) => {
          assert.ok(isPlatformError(error, "DEPLOY_COMPILE"));
          assert.ok(error.message.startsWith(`math.ts:1:15: "${path}" cannot be imported`));
          return true;
        },
        path,
      );
    }
  });

  it("names the line of a syntax error without a path of the server", async () => {
    await assert.rejects(
      bundleSource({ name: "syntax.ts", source: "export const b = ;\n" }),
      { message: 'syntax.ts:1:18: Unexpected ";"' },
    );
  });
});

describe("A bundle of npm packages", () => {
  it("works when a package requires Node's modules as packages do", async () => {
    const root = join(directory, "project");
    await mkdir(join(root, "node_modules/old"), { recursive: true });
    await writeFile(join(root, "node_modules/old/package.json"), '{ "name": "old" }');
    await writeFile(
      join(root, "node_modules/old/index.js"),
      `const EventEmitter = require("events");
const { basename } = require("node:path");
class Bus extends EventEmitter {}
module.exports = (path) => new Bus() instanceof EventEmitter ? basename(path) : "";
`,
    );
    const source = `${goodSource}\nimport old from "old";\nif (old("/a/b") !== "b") throw 1;\n`;
    await mkdir(join(root, "services"));
    await writeFile(join(root, "services/math.ts"), source);

    const { code, sourceMap } = await bundleFile(join(root, "services/math.ts"));
    const key = { file: "math.ts", hash: sha256Hex(code) };
    const files = new BundleFiles(join(directory, "bundles"));
    const [service] = await trials.try(
      await files.ensure(key, () => Promise.resolve({ ...key, code, sourceMap })),
    );

    assert.equal(service?.name, "math.double");
  });
});

describe("TrialProcesses", () => {
  it("answers the services with their schemas", async () => {
    const [service] = await tryText("math.ts", goodSource);

    assert.equal(service?.name, "math.double");
    assert.equal(service?.description, "Doubles a number");
    assert.match(JSON.stringify(service?.input), /"value":\{"type":"number"\}/);
  });

  it("names the author's file and line when the module throws while it loads", async () => {
    const source =
      `${goodSource}\nconst table = undefined as unknown as string[];\ntable.push("x");\n`;
    const line = source.split("\n").indexOf('table.push("x");') + 1;

    await assert.rejects(tryText("throws.ts", source), (error) => {
      assert.ok(isPlatformError(error, "DEPLOY_LOAD"));
      assert.match(error.message, new RegExp(`throws\\.ts:${line}:`));
      return true;
    });
  });

  it("survives a module that ends its process", async () => {
    await assert.rejects(tryText("exits.ts", `${goodSource}\nprocess.exit(3);\n`), (error) => {
      assert.ok(isPlatformError(error, "DEPLOY_LOAD"));
      assert.match(error.message, /exit code 3/);
      return true;
    });
  });

  it("refuses a module without services", async () => {
    await assert.rejects(
      tryText("none.ts", "export const answer = 42;\n"),
      (error) => isPlatformError(error),
    );
  });
});

describe("BundleFiles", () => {
  it("fetches anew what is damaged on disk", async () => {
    const code = "export const a = 1;";
    const key = { file: "a.ts", hash: sha256Hex(code) };
    const fetch = () => Promise.resolve({ ...key, code, sourceMap: "{}" });
    const folder = join(directory, "damaged");
    await new BundleFiles(folder).ensure(key, fetch);
    await writeFile(join(folder, `${key.hash}.mjs`), "export const a = 2;");
    let fetched = 0;

    const { path } = await new BundleFiles(folder).ensure(key, () => {
      fetched++;
      return fetch();
    });

    assert.equal(fetched, 1);
    assert.equal((await import(path)).a, 1);
  });

  it("says why a bundle cannot be written", async () => {
    const file = join(directory, "no-directory");
    await writeFile(file, "");
    const bundle = { file: "a.ts", hash: sha256Hex("a"), code: "a", sourceMap: "" };

    await assert.rejects(
      new BundleFiles(join(file, "bundles")).ensure(bundle, () => Promise.resolve(bundle)),
      (error) => isPlatformError(error, "DEPLOY_NOT_STORED") && /ENOTDIR/.test(error.message),
    );
  });

  it("refuses a bundle whose code has another hash", async () => {
    const files = new BundleFiles(join(directory, "hash"));
    const key = { file: "a.ts", hash: "0".repeat(64) };

    await assert.rejects(
      files.ensure(key, () => Promise.resolve({ ...key, code: "x", sourceMap: "" })),
      (error) => isPlatformError(error, "DEPLOY_HASH"),
    );
  });

  it("keeps current and young bundles when it prunes", async () => {
    const folder = join(directory, "prune");
    const files = new BundleFiles(folder);
    const bundles = ["one", "two", "three"].map((code) => ({
      file: `${code}.ts`,
      hash: sha256Hex(code),
      code,
      sourceMap: "",
    }));
    for (const bundle of bundles) await files.store(bundle);
    const [current, old, young] = bundles;
    for (const { hash } of [current!, old!]) await utimes(files.path(hash), 1, 1);

    await files.prune(new Set([current!.hash]));

    const none = () => Promise.resolve(undefined);
    await files.ensure(current!, none);
    await files.ensure(young!, none);
    await assert.rejects(
      files.ensure(old!, none),
      (error) => isPlatformError(error, "DEPLOY_HASH"),
    );
  });
});
