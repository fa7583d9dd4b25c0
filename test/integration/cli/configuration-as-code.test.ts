import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ApplyResult } from "../../../src/admin-api/api.ts";
import { type CapturedOptions, runCaptured } from "../../../src/cli/captured-io.ts";
import type { ObjectDifference } from "../../../src/cli/objects/difference.ts";
import { cli, cliJson, findFreeOffset } from "./cli-process.ts";

const channel = (name: string, more = "") =>
  `apiVersion: dragoman/v1
kind: RestChannel
name: ${name}
spec:
  path: /${name}
  service: demo.hello
  security: none
${more}`;
const apiKey = `apiVersion: dragoman/v1
kind: ApiKey
name: shop
spec:
  header: X-Key
  key: \${env:SHOP_KEY}
`;
const env = { SHOP_KEY: "k-1234567890abcdef" };

describe("Configuration as code", { timeout: 300_000 }, () => {
  let directory = "";
  let demo = "";
  const run = (words: readonly string[], options: CapturedOptions = {}) =>
    runCaptured([...words, "--env", demo], { cwd: directory, env, ...options });
  const json = async <T>(words: readonly string[], options: CapturedOptions = {}) => {
    const { stdout } = await run([...words, "-o", "json"], options);
    return JSON.parse(stdout) as T; // what the command prints
  };
  const write = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-code-"));
    demo = join(directory, "demo");
    const words = ["quickstart", "create", demo, "--start", "--servers", "1", "--kvdb", "embedded"];
    await cliJson([
      ...words,
      "--balancer",
      "embedded",
      "--port-offset",
      `${await findFreeOffset()}`,
    ]);
    await write({
      "objects/a.yaml": channel("a"),
      "objects/deep/b.yml": `${channel("b")}---\n${apiKey}`,
      "objects/notes.txt": "not an object",
      "more.json": JSON.stringify({
        apiVersion: "dragoman/v1",
        kind: "RestChannel",
        name: "c",
        spec: { path: "/c", service: "demo.hello", security: ["shop"] },
      }),
    });
  });
  after(async () => {
    await cli(["quickstart", "stop", demo]);
    await rm(directory, { recursive: true, force: true });
  });

  it("shows what would be created, and exits 3", async () => {
    const { code, stdout } = await run(["diff", "-f", "objects", "more.json"]);

    assert.equal(code, 3);
    assert.match(stdout, /\+ RestChannel a {2}\(.*objects\/a\.yaml:3:1\)\n {4}path: "\/a"/);
    assert.match(stdout, /\+ ApiKey shop[^\n]*\n {4}header: "X-Key"\n {4}key: secret\n/);
    assert.match(stdout, /4 to create, 0 to update, 0 to delete, 0 unchanged\n$/);
    assert.ok(!stdout.includes(env.SHOP_KEY));
  });

  it("applies files and directories in one transaction", async () => {
    const dry = await json<ApplyResult>(["apply", "-f", "objects", "-f", "more.json", "--dry-run"]);
    const applied = await json<ApplyResult>(["apply", "-f", "objects", "-f", "more.json"]);
    const again = await json<ApplyResult>([
      "apply",
      "-f",
      "more.json",
      "objects",
      "objects/a.yaml",
    ]);

    assert.deepEqual(dry.changes.map(({ action }) => action), Array(4).fill("created"));
    assert.equal(applied.revision, dry.revision + 1);
    assert.deepEqual(again.changes.map(({ action }) => action), Array(4).fill("unchanged"));
    assert.equal((await run(["diff", "-f", "objects", "-f", "more.json"])).code, 0);
  });

  it("shows old and new values field by field, and secrets only as changed", async () => {
    await write({ "objects/a.yaml": channel("a", "  timeoutMs: 500\n  methods: [GET]\n") });
    const options = { env: { SHOP_KEY: "k-another-0123456789" } };

    const { code, stdout } = await run(["diff", "-f", "objects"], options);
    const value = await json<readonly ObjectDifference[]>(["diff", "-f", "objects"], options);

    assert.equal(code, 3);
    assert.match(stdout, /~ RestChannel a /);
    assert.match(stdout, /\n {4}methods: \["GET","POST"\] -> \["GET"\]\n/);
    assert.match(stdout, /\n {4}timeoutMs: \(not set\) -> 500\n/);
    assert.match(stdout, /~ ApiKey shop [^\n]*\n {4}key: secret, changed\n/);
    assert.ok(!stdout.includes("another"));
    assert.deepEqual(value.map(({ name, action }) => [name, action]), [
      ["a", "updated"],
      ["b", "unchanged"],
      ["shop", "updated"],
    ]);
  });

  it("compares without secrets that are not set, and says so", async () => {
    const known = await run(["diff", "-f", "objects/deep"]);
    const unknown = await run(["diff", "-f", "objects/deep"], { env: {} });
    await write({ "new-key.yaml": apiKey.replace("name: shop", "name: other") });
    const created = await run(["diff", "-f", "new-key.yaml"], { env: {} });

    assert.equal(known.code, 0);
    assert.equal(unknown.code, 0);
    assert.match(unknown.stdout, /key: unknown secret; Environment variable "SHOP_KEY" is not set/);
    assert.equal(created.code, 3);
    assert.match(created.stdout, /\+ ApiKey other[\s\S]*key: unknown secret/);
    assert.equal((await run(["apply", "-f", "new-key.yaml"], { env: {} })).code, 1);
  });

  it("reads variables from a file that --env-file names", async () => {
    await write({ "vars": `SHOP_KEY=${env.SHOP_KEY}\n` });

    const same = await run(["diff", "-f", "objects/deep", "--env-file", "vars"], { env: {} });
    const none = await run(["diff", "-f", "objects/deep", "--env-file", "nope"], { env: {} });

    assert.equal(same.code, 0);
    assert.doesNotMatch(same.stdout, /unknown/);
    assert.match(none.stderr, /Cannot read ".*nope"/);
  });

  it("warns of a secret that stands in a file, and goes on", async () => {
    await write({ "clear.yaml": apiKey.replace("${env:SHOP_KEY}", env.SHOP_KEY) });

    const { code, stderr } = await run(["apply", "-f", "clear.yaml"]);

    assert.equal(code, 0);
    assert.match(stderr, /^Warning: .*clear\.yaml:6:3: Field "key" is a secret/);
    assert.ok(!stderr.includes(env.SHOP_KEY));
  });

  it("exports what apply reads back as it is", async () => {
    const exported = await run(["export", "--output", "out"]);
    const values = { API_KEY_SHOP_KEY: env.SHOP_KEY };
    const files = (await readdir(join(directory, "out"), { recursive: true })).sort();
    const back = await json<ApplyResult>(["apply", "-f", "out"], { env: values });

    assert.match(exported.stdout, /Wrote 5 objects to .*out\n/);
    assert.match(exported.stderr, /set API_KEY_SHOP_KEY\n/);
    assert.deepEqual(files.filter((name) => name.endsWith(".yaml")), [
      "ApiKey/shop.yaml",
      "RestChannel/a.yaml",
      "RestChannel/b.yaml",
      "RestChannel/c.yaml",
      "RestChannel/demo.hello.yaml",
    ]);
    assert.deepEqual(back.changes.map(({ action }) => action), Array(5).fill("unchanged"));
    const text = await readFile(join(directory, "out/ApiKey/shop.yaml"), "utf8");
    assert.equal(text, apiKey.replace("SHOP_KEY", "API_KEY_SHOP_KEY"));
  });

  it("exports one object to standard output, with its defaults when asked", async () => {
    const short = await run(["export", "RestChannel", "c"]);
    const full = await run(["export", "RestChannel", "c", "--defaults"]);

    assert.match(
      short.stdout,
      /^apiVersion: dragoman\/v1\nkind: RestChannel\nname: c\nspec:\n {2}path: \/c\n/,
    );
    assert.doesNotMatch(short.stdout, /active|methods/);
    assert.match(full.stdout, /\n {2}active: true\n/);
    assert.match((await run(["export", "RestChannel", "x"])).stderr, /There is no RestChannel|no/);
  });

  it("prunes only kinds that the files have, in the same transaction, and asks first", async () => {
    await write({ "only-a.yaml": channel("a") });
    const files = ["-f", "only-a.yaml", "--prune"];

    const shown = await run(["diff", ...files]);
    const dry = await json<ApplyResult>(["apply", ...files, "--dry-run"]);
    const refused = await run(["apply", ...files]);
    const denied = await run(["apply", ...files], { answers: ["no"] });
    const pruned = await run(["apply", ...files], { answers: ["delete"] });
    const left = await json<readonly { kind: string; name: string }[]>(["get"]);

    assert.match(shown.stdout, /- RestChannel demo\.hello {2}\(no file names it\)/);
    assert.match(shown.stdout, /0 to create, 0 to update, 3 to delete, 1 unchanged/);
    assert.equal(dry.changes.filter(({ action }) => action === "deleted").length, 3);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /delete RestChannel b\n[\s\S]*not a terminal/);
    assert.equal(denied.code, 1);
    assert.match(pruned.stdout, /RestChannel +c +deleted/);
    assert.deepEqual(left.map(({ kind, name }) => `${kind}/${name}`), [
      "ApiKey/shop",
      "RestChannel/a",
    ]);
  });

  it("prunes every kind when that is said", async () => {
    const alone = await run(["apply", "-f", "only-a.yaml", "--prune-all-kinds"]);
    const pruned = await run([
      "apply",
      "-f",
      "only-a.yaml",
      "--prune",
      "--prune-all-kinds",
      "--yes",
    ]);

    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /--prune-all-kinds goes with --prune/);
    assert.match(pruned.stdout, /ApiKey +shop +deleted/);
  });

  it("changes nothing when a deletion is refused", async () => {
    await run(["apply", "-f", "objects", "-f", "more.json"]);
    await write({ "bad.yaml": apiKey.replace("name: shop", "name: new") });

    const { code, stderr } = await run(["apply", "-f", "bad.yaml", "--prune", "--yes"]);

    assert.equal(code, 1);
    assert.match(stderr, /ApiKey "shop" is used by RestChannel "c"/);
    assert.equal((await run(["get", "ApiKey", "new"])).code, 1);
  });

  it("names file, line and column of what the cluster refuses", async () => {
    await write({
      "missing.yaml": `${channel("d")}---\n${channel("e").replace("demo.hello", "demo.helo")}`,
      "conflict.yaml": channel("f").replace("path: /f", "path: /a"),
      "again/a.yaml": channel("a"),
    });

    const missing = await run(["apply", "-f", "missing.yaml"]);
    const conflict = await run(["apply", "-f", "conflict.yaml"]);
    const twice = await run(["apply", "-f", "again", "-f", "objects/a.yaml"]);

    assert.match(missing.stderr, /missing\.yaml:14:3: .*"demo\.helo".*"demo\.hello"/);
    assert.match(conflict.stderr, /conflict\.yaml:3:1: .*"a" already takes/);
    assert.match(
      twice.stderr,
      /objects\/a\.yaml:3:1: .*defined twice, first at .*again\/a\.yaml:3:1/,
    );
  });

  it("wants something to read", async () => {
    await mkdir(join(directory, "empty"), { recursive: true });

    assert.match((await run(["apply"])).stderr, /Name a file or a directory with -f/);
    assert.match((await run(["diff", "-f", "empty"])).stderr, /empty" holds no YAML file/);
  });

  it("writes declarations of what there is, and says when they are out of date", async () => {
    const wrote = await run(["types"]);
    const same = await run(["types", "--check"]);
    await run(["apply", "-f", "-"], { stdin: channel("fresh") });
    const stale = await run(["types", "--check"]);
    const shown = await run(["types", "--output", "-"]);

    assert.match(wrote.stdout, /^Wrote .*dragoman\.d\.ts\n$/);
    assert.equal(same.code, 0);
    assert.equal(stale.code, 3);
    assert.match(stale.stdout, /not up to date; run dragoman types\n$/);
    assert.match(shown.stdout, /"demo\.hello": \{\n +input: \{\n +name\?: string;/);
    assert.match(shown.stdout, /\n +fresh: "RestChannel";\n/);
  });

  it("prints the schema of one kind, or of any document, for editors", async () => {
    const any = JSON.parse((await runCaptured(["schema"])).stdout);
    const one = JSON.parse((await runCaptured(["schema", "ApiKey"])).stdout);
    const wrong = await runCaptured(["schema", "ApiKy"]);

    assert.ok(any.oneOf.length > 2);
    assert.equal(one.title, "ApiKey");
    assert.match("${env:K}", new RegExp(one.properties.spec.properties.key.anyOf[0].pattern));
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /did you mean "ApiKey"/);
  });
});
