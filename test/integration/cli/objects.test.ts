import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ApplyResult, DeployResult, ObjectView } from "../../../src/admin-api/api.ts";
import {
  type CapturedOptions,
  type CapturedRun,
  runCaptured,
} from "../../../src/cli/captured-io.ts";
import type { QuickstartResult } from "../../../src/cli/quickstart/create.ts";
import type { ClusterSummary } from "../../../src/cli/cluster/summary.ts";
import { cli, cliJson, cliOk, findFreeOffset } from "./cli-process.ts";

const channel = (name: string, spec: string, kind = "RestChannel") =>
  `apiVersion: dragoman/v1\nkind: ${kind}\nname: ${name}\nspec: ${spec}\n`;
const good = channel("shop", "{ path: /shop, service: demo.hello, security: none }");

/** What `apply` refuses: the text, and what the error says of it. */
const badFiles: readonly (readonly [name: string, text: string, error: RegExp])[] = [
  ["no YAML", "a: [1", /bad\.yaml:1:\d+: /],
  ["nothing", "# empty\n", /It holds no object/],
  ["a list", "- a\n", /bad\.yaml:1:1: .*expected (object|record)/],
  [
    "no apiVersion",
    "kind: RestChannel\nname: x\nspec: {}\n",
    /bad\.yaml:1:1: .*write "dragoman\/v1"/,
  ],
  ["another apiVersion", good.replace("v1", "v9"), /bad\.yaml:1:1: .*write "dragoman\/v1"/],
  [
    "an unknown field beside spec",
    `${good}sepc: 1\n`,
    /bad\.yaml:5:1: .*Unknown field "sepc".*"spec"/,
  ],
  [
    "an unknown kind",
    channel("x", "{}", "RestChanel"),
    /bad\.yaml:2:1: .*did you mean "RestChannel"/,
  ],
  [
    "an unknown field of spec",
    channel("x", "{ path: /x, service: demo.hello, security: none, pth: /y }"),
    /bad\.yaml:4:\d+: .*"pth".*"path"/,
  ],
  [
    "a value of the wrong type",
    channel("x", "{ path: 5, service: demo.hello, security: none }"),
    /bad\.yaml:4:\d+: .*"path".*expected string/,
  ],
  ["a missing field", channel("x", "{ path: /x, security: none }"), /bad\.yaml:4:\d+: .*"service"/],
  [
    "a channel without security",
    channel("x", "{ path: /x, service: demo.hello }"),
    /bad\.yaml:4:\d+: .*none/,
  ],
  ["a bad name", good.replace("name: shop", "name: 'a b!'"), /bad\.yaml:3:1: /],
  [
    "a service that does not exist",
    channel("x", "{ path: /x, service: demo.helo, security: none }"),
    /demo\.helo.*demo\.hello/s,
  ],
  [
    "a security definition that does not exist",
    channel("x", "{ path: /x, service: demo.hello, security: [nobody] }"),
    /nobody/,
  ],
  [
    "one object twice",
    `${good}---\n${good}`,
    /bad\.yaml:8:1: .*defined twice, first at .*bad\.yaml:3:1/,
  ],
  [
    "a path that another channel has",
    channel("x", "{ path: /demo/hello, service: demo.hello, security: none }"),
    /demo\.hello/,
  ],
  [
    "a secret variable that is not set",
    channel("k", "{ header: X-Key, key: '${env:NO_SUCH_KEY}' }", "ApiKey"),
    /bad\.yaml:4:\d+: Environment variable "NO_SUCH_KEY" is not set/,
  ],
];

describe("A running cluster from the command line", { timeout: 300_000 }, () => {
  let directory = "";
  let demo = "";
  let cluster: QuickstartResult;
  const run = (words: readonly string[], options: CapturedOptions = {}): Promise<CapturedRun> =>
    runCaptured(words, { cwd: demo, ...options });

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "dragoman-objects-"));
    demo = join(directory, "demo");
    const offset = await findFreeOffset();
    const words = ["quickstart", "create", demo, "--start", "--port-offset", `${offset}`];
    cluster = await cliJson([...words, "--kvdb", "embedded", "--balancer", "embedded"]);
  });
  after(async () => {
    await cli(["quickstart", "stop", demo]);
    await rm(directory, { recursive: true, force: true });
  });

  it("finds its environment in the working directory, above it, or in DRAGOMAN_ENV", async () => {
    const here = await cliOk(["status"], { cwd: join(demo, "services") });
    const named = await cliOk(["status"], { cwd: "/", env: { DRAGOMAN_ENV: demo } });
    const none = await cli(["status"], { cwd: directory, env: { DRAGOMAN_ENV: "" } });

    assert.match(here.stdout, /^Cluster: +quickstart-\d+\nState: +up\n/);
    assert.match(named.stdout, /^Cluster: /);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /No environment found[\s\S]*Fix: .*--env DIR/);
  });

  it("sums up servers, ODB, KVDB and balancer", async () => {
    const summary = await cliJson<ClusterSummary>(["status"], { cwd: demo });

    assert.equal(summary.state, "up");
    assert.deepEqual(summary.servers.map(({ state }) => state), ["up", "up"]);
    assert.ok(summary.balancer !== null && "servers" in summary.balancer);
    assert.match((await run(["lb", "status"])).stdout, /server2 +127\.0\.0\.1:\d+ +up/);
    assert.match((await run(["server", "list"])).stdout, /server1 +up/);
  });

  it("applies a file from standard input, shows it and deletes it", async () => {
    const dry = JSON.parse(
      (await run(["apply", "-f", "-", "--dry-run", "-o", "json"], { stdin: good })).stdout,
    ) as ApplyResult; // what apply prints
    const unchanged = (await run(["get", "RestChannel", "shop"])).code;
    const applied = await run(["apply", "-f", "-"], { stdin: good });
    const response = await fetch(`${cluster.balancer.url}/shop`);
    const shown = await cliJson<ObjectView>(["get", "RestChannel", "shop"], { cwd: demo });
    const asked = await run(["delete", "RestChannel", "shop"]);
    const deleted = await run(["delete", "RestChannel", "shop", "--yes"]);

    assert.equal(dry.changes[0]!.action, "created");
    assert.equal(unchanged, 1);
    assert.match(
      applied.stdout,
      /RestChannel +shop +created[\s\S]*server1 +live[\s\S]*server2 +live/,
    );
    assert.deepEqual(await response.json(), { hello: "world" });
    assert.deepEqual(shown.spec["path"], "/shop");
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /not a terminal/);
    assert.match(deleted.stdout, /shop +deleted/);
    assert.equal((await fetch(`${cluster.balancer.url}/shop`)).status, 404);
  });

  for (const [name, text, error] of badFiles) {
    it(`refuses to apply ${name}, and changes nothing`, async () => {
      await writeFile(join(demo, "bad.yaml"), text);
      const before = await run(["get", "-o", "json"]);

      const { code, stdout, stderr } = await run(["apply", "-f", "bad.yaml"]);

      assert.equal(code, 1, stdout);
      assert.match(stderr, error);
      assert.match(stderr, /^Error: .+\nWhy: [\s\S]+\nFix: {3}.+\n$/);
      assert.equal((await run(["get", "-o", "json"])).stdout, before.stdout);
    });
  }

  it("refuses to read a file that is not there", async () => {
    const { code, stderr } = await run(["apply", "-f", "nope.yaml"]);

    assert.equal(code, 1);
    assert.match(stderr, /Error: Cannot read ".*nope\.yaml"/);
  });

  it("takes secrets by reference and never shows them", async () => {
    const stdin = channel("key", "{ header: X-Key, key: '${env:SHOP_KEY}' }", "ApiKey");

    const applied = await run(["apply", "-f", "-"], {
      stdin,
      env: { SHOP_KEY: "k-1234567890abcdef" },
    });
    const shown = await run(["get", "ApiKey", "key", "-o", "json"]);

    assert.equal(applied.code, 0, applied.stderr);
    assert.ok(!`${applied.stdout}${shown.stdout}`.includes("k-1234567890"));
    assert.match(shown.stdout, /"name": "key"/);
  });

  it("does not delete what is used, and names the users", async () => {
    const stdin = channel("guarded", "{ path: /guarded, service: demo.hello, security: [key] }");
    await cliOk(["apply", "-f", "-"], { stdin, cwd: demo });

    const { code, stderr } = await run(["delete", "ApiKey", "key", "--yes"]);

    assert.equal(code, 1);
    assert.match(stderr, /RestChannel.*guarded/);
  });

  it("names the nearest kind, object and service", async () => {
    const cases = [
      [["get", "RestChanel"], /did you mean "RestChannel"/],
      [["get", "RestChannel", "demo.helo"], /did you mean "demo\.hello"/],
      [["service", "invoke", "demo.helo"], /did you mean "demo\.hello"/],
    ] as const;
    for (const [words, text] of cases) {
      const { code, stderr } = await run(words);
      assert.equal(code, 1);
      assert.match(stderr, text);
    }
  });

  it("invokes a service and refuses input that does not match", async () => {
    const stdin = `{"name":"Ana"}`;
    const { stdout } = await run(["service", "invoke", "demo.hello", "-i", "-"], { stdin });
    const bad = await run(["service", "invoke", "demo.hello", "-i", `{"name":5}`]);

    assert.deepEqual(JSON.parse(stdout), { hello: "Ana" });
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /name/);
  });

  it("deploys a changed service to every server", async () => {
    const file = join(directory, "demo-hello.ts");
    await writeFile(file, service("hi"));

    const result = await cliJson<DeployResult>(["deploy", file], { cwd: demo });
    const answers = await Promise.all(
      cluster.servers.map(async ({ url }) => (await fetch(`${url}/demo/hello`)).json()),
    );

    assert.equal(result.outcome, "deployed");
    assert.deepEqual(result.servers.map(({ outcome }) => outcome), ["live", "live"]);
    assert.deepEqual(answers, [{ greeting: "hi" }, { greeting: "hi" }]);
    assert.match((await run(["deployment", "list"])).stdout, /demo-hello\.ts +yes/);
    assert.match(
      (await run(["service", "list"])).stdout,
      /demo\.hello +demo-hello\.ts +RestChannel/,
    );
  });

  it("rejects a service that does not compile or load, naming file, line and servers", async () => {
    const broken = join(directory, "demo-hello.ts");
    await writeFile(broken, `import { defineService } from "dragoman";\nexport const x = ;\n`);
    const syntax = await run(["deploy", broken]);
    await writeFile(broken, `${service("x")}\nconst gone: string[] = [];\ngone[0]!.trim();\n`);
    const load = await run(["deploy", broken]);

    assert.equal(syntax.code, 1);
    assert.match(syntax.stderr, /hello\.ts:2:18/);
    assert.equal(load.code, 1);
    assert.match(load.stdout, /server1 +failed[\s\S]*server2 +failed/);
    assert.match(load.stderr, /hello\.ts:\d+:\d+/);
    const answer = await fetch(`${cluster.balancer.url}/demo/hello`);
    assert.deepEqual(await answer.json(), { greeting: "hi" });
  });

  it("refuses a file that is not there", async () => {
    const { code, stderr } = await run(["deploy", "nope.ts"]);

    assert.equal(code, 1);
    assert.match(stderr, /Cannot read ".*nope\.ts"/);
  });

  it("says why no server answers when the cluster is stopped", async () => {
    await cliOk(["quickstart", "stop", demo]);

    const { code, stderr } = await run(["get"]);
    const doctor = await run(["doctor"]);

    assert.equal(code, 1);
    assert.match(stderr, /No server of cluster[\s\S]*https:\/\/127[\s\S]*Fix: .*dragoman start/);
    assert.equal(doctor.code, 0);
    assert.match(doctor.stdout, /server1: process +ok +stopped/);
  });
});

function service(greeting: string): string {
  return `import { defineService } from "dragoman";
export const hello = defineService({
  name: "demo.hello",
  handle: () => ({ greeting: "${greeting}" }),
});
`;
}
