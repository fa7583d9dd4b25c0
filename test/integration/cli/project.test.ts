import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse } from "yaml";
import { cli, cliOk } from "./cli-process.ts";

describe("A project of services", { timeout: 300_000 }, () => {
  let directory = "";
  let shop = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-project-"));
    shop = join(directory, "shop");
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it("is made with a service, a test, a channel and a key of its own", async () => {
    const { stdout } = await cliOk(["new", "project", "shop"], { cwd: directory });
    const secret = await stat(join(shop, ".env"));

    assert.match(stdout, /Made .*shop\n[\s\S]*services\/hello\.ts[\s\S]*Next:\n {2}cd shop\n/);
    assert.equal(secret.mode & 0o777, 0o600);
    assert.match(await readFile(join(shop, ".env"), "utf8"), /^SHOP_API_KEY=[\w-]{43}\n$/);
    for (const name of ["package.json", "README.md", ".gitignore", "objects/security.yaml"]) {
      const text = await readFile(join(shop, name), "utf8");
      assert.ok(!text.includes(import.meta.dirname!.replace(/\/test\/.*/, "")), name);
    }
  });

  it("is not made where there is something already", async () => {
    const { code, stderr } = await cli(["new", "project", "shop"], { cwd: directory });

    assert.equal(code, 1);
    assert.match(stderr, /shop" is not empty/);
  });

  it("passes its own tests and its own check", async () => {
    const tested = await cli(["test"], { cwd: shop });
    const checked = await cli(["check", shop]);

    assert.equal(tested.code, 0, tested.stdout + tested.stderr);
    assert.match(tested.stdout, /greets by name \.\.\. ok/);
    assert.equal(checked.code, 0, checked.stdout);
    assert.match(checked.stdout, /^No type errors in 3 files \(\d+\.\d s\)\n$/);
  });

  it("gets further services, whose channels use its key, and never overwrites", async () => {
    await cliOk(["new", "service", "crm.get", "--method", "get,put", "--path", "/crm/{name}"], {
      cwd: shop,
    });
    const again = await cli(["new", "service", "crm.get"], { cwd: shop });
    const wrong = await cli(["new", "service", "x", "--method", "GOT"], { cwd: shop });

    assert.deepEqual(parse(await readFile(join(shop, "objects/crm-get.yaml"), "utf8")).spec, {
      path: "/crm/{name}",
      methods: ["GET", "PUT"],
      service: "crm.get",
      security: ["shop-key"],
    });
    assert.equal(again.code, 1);
    assert.match(again.stderr, /crm-get\.ts" exists already/);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /"GOT" is no method; known are GET/);
    assert.equal((await cli(["test", "--filter", "crmGet"], { cwd: shop })).code, 0);
  });

  it("shows the place of a type error and of a failing test, and exits 1", async () => {
    const file = join(shop, "services/hello.ts");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("Hello,", "Hallo,") + `const wrong: number = "x";\n`);
    const checked = await cli(["check"], { cwd: shop });
    const tested = await cli(["test"], { cwd: shop });
    await writeFile(file, text);

    assert.equal(checked.code, 1);
    assert.match(
      checked.stdout,
      /^services\/hello\.ts:13:7 Type 'string' is not assignable to type 'number'\. \(TS2322\)\n {3}13 \| const wrong: number = "x";\n {6}\| {7}\^\n1 type error in 5 files/,
    );
    assert.equal(tested.code, 1);
    assert.match(tested.stdout + tested.stderr, /greets by name \.\.\. FAILED[\s\S]*Hallo, Ana!/);
  });

  it("says what is missing where there is no project", async () => {
    const empty = await mkdtemp(join(directory, "empty-"));

    assert.match((await cli(["test", empty])).stderr, /has no \*\.test\.ts file/);
    assert.match((await cli(["check", empty])).stderr, /has no TypeScript file/);
    assert.match((await cli(["dev", join(empty, "nope")])).stderr, /nope" is not a directory/);
  });

  it("is understood by editors that use TypeScript's own resolution", async () => {
    const options = parse(await readFile(join(shop, ".dragoman/tsconfig.json"), "utf8"));
    const [path] = options.compilerOptions.paths["dragoman/testing"];
    const map = parse(await readFile(join(shop, ".dragoman/import-map.json"), "utf8"));

    assert.match(await readFile(path, "utf8"), /createTestKit/);
    assert.match(await readFile(new URL(map.imports["dragoman"]), "utf8"), /defineService/);
    await symlink("/nonexistent", join(shop, "services/dangling.ts"));
    assert.equal((await cli(["test"], { cwd: shop })).code, 0);
    await rm(join(shop, "services/dangling.ts"));
  });
});
