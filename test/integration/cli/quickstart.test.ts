import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { QuickstartResult } from "../../../src/cli/quickstart/create.ts";
import type { SetStatus } from "../../../src/cli/lifecycle/state.ts";
import { isProcessAlive } from "../../../src/lib/processes.ts";
import { poll } from "../../../src/lib/wait.ts";
import { cli, cliJson, cliOk, findFreeOffset } from "./cli-process.ts";

const json = async (url: string): Promise<unknown> => (await fetch(url)).json();
const statusOf = (directory: string) => cliJson<SetStatus>(["quickstart", "status", directory]);

describe("quickstart", { timeout: 300_000 }, () => {
  let parent = "";
  let demo = "";
  let created: QuickstartResult;
  let createdOutput = "";
  let offset = 0;

  before(async () => {
    parent = await mkdtemp(join(tmpdir(), "dragoman quickstart-")); // paths with spaces must do
    demo = join(parent, "demo");
    offset = await findFreeOffset();
    const words = ["quickstart", "create", demo, "--start", "--port-offset", `${offset}`];
    const { stdout, stderr } = await cliOk([...words, "-o", "json"]);
    created = JSON.parse(stdout);
    createdOutput = stderr;
  });
  after(async () => {
    await cli(["quickstart", "stop", demo]);
    await rm(parent, { recursive: true, force: true });
  });

  it("prints one JSON object with every address, and its progress elsewhere", () => {
    assert.deepEqual(Object.keys(created), ["balancer", "webAdmin", "servers", "environment"]);
    assert.equal(created.balancer.url, `http://127.0.0.1:${11223 + offset}`);
    assert.equal(created.webAdmin.username, "admin");
    assert.deepEqual(created.servers.map(({ name }) => name), ["server1", "server2"]);
    assert.match(createdOutput, /\[ 1\/11\] Certificate authority\n[\s\S]*\[11\/11\] Start/);
    assert.ok(!createdOutput.includes(created.webAdmin.password));
  });

  it("leaves a cluster whose demo service answers through the balancer and on each server", async () => {
    for (const { url } of [created.balancer, ...created.servers]) {
      assert.deepEqual(await json(`${url}/demo/hello?name=Ana`), { hello: "Ana" });
    }
  });

  it("lets the admin user log in with the password that it showed", async () => {
    const { url, username, password } = created.webAdmin;
    const response = await fetch(`${url}/api/login`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: url },
      body: JSON.stringify({ username, password }),
    });

    assert.equal(response.status, 200, await response.text());
  });

  it("reports each component with state, pid, uptime and ports", async () => {
    const status = await statusOf(demo);

    assert.equal(status.state, "running");
    assert.equal(status.environment, demo);
    const kinds = status.components.map(({ component }) => component);
    assert.deepEqual(kinds, ["kvdb", "load-balancer", "server", "server", "web-admin"]);
    for (const { state, pid, uptimeSeconds, ports } of status.components) {
      assert.equal(state, "running");
      assert.ok(pid !== null && isProcessAlive(pid));
      assert.ok(uptimeSeconds !== null && uptimeSeconds >= 0);
      assert.ok(Object.values(ports).every((port) => port > offset));
    }
  });

  it("starts what runs already without touching it", async () => {
    const pids = async () => (await statusOf(demo)).components.map(({ pid }) => pid);
    const before = await pids();

    const { stderr } = await cliOk(["quickstart", "start", demo]);

    assert.equal(stderr.match(/: already running\n/g)?.length, 5);
    assert.deepEqual(await pids(), before);
  });

  it("passes every check of doctor", async () => {
    const findings = await cliJson<{ state: string; check: string }[]>(["doctor", "--env", demo]);

    assert.ok(findings.some(({ check }) => check === "server1: ODB"));
    assert.deepEqual(findings.filter(({ state }) => state === "failed"), []);
  });

  it("keeps secrets to its owner, and out of the logs", async () => {
    for (const folder of ["secrets", "tls", "server1/secrets", "ca/secrets", "kvdb/secrets"]) {
      assert.equal((await stat(join(demo, folder))).mode & 0o077, 0, folder);
    }
    const key = (await readFile(join(demo, "secrets/cluster.key"), "utf8")).trim();
    for (const part of ["kvdb", "load-balancer", "server1", "server2", "web-admin"]) {
      const log = await readFile(join(demo, part, "log", `${part.replace(/\d$/, "")}.log`), "utf8");
      assert.ok(!log.includes(key) && !log.includes(created.webAdmin.password), part);
    }
  });

  it("is refused in a directory that is in use, running or foreign", async () => {
    const again = ["quickstart", "create", demo];
    const refusals = [
      [again, /is not empty[\s\S]*--force/],
      [[...again, "--force"], /is running: kvdb, load-balancer/],
      [["quickstart", "create", parent, "--force"], /not an environment of ours/],
      [["quickstart", "delete", demo, "--yes"], /is running/],
    ] as const;
    for (const [words, text] of refusals) {
      const { code, stderr } = await cli(words);
      assert.equal(code, 1);
      assert.match(stderr, text);
    }
  });

  it("refuses a port that one of our components holds, and names that component", async () => {
    const second = join(parent, "second");

    const words = ["quickstart", "create", second, "--start", "--port-offset", `${offset}`];
    const { code, stderr, stdout } = await cli(words);

    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /Port \d+, wanted for the KVDB, is taken by process \d+ \(dragoman start .*\/kvdb\)/,
    );
    assert.match(stderr, /Fix: .*--port-offset/);
    await assert.rejects(readdir(second), { code: "ENOENT" });
  });

  it("leaves nothing behind when it cannot be made", async () => {
    const second = join(parent, "second");

    const { code, stderr } = await cli(
      ["quickstart", "create", second, "--kvdb-url", "redis://:s3cret@127.0.0.1:1/0"],
    );

    assert.equal(code, 1);
    assert.match(stderr, /KVDB: failed\n\nWhat was made in .*second is removed again\.\n/);
    assert.match(stderr, /Error: KVDB at 127\.0\.0\.1:1 is unreachable/);
    assert.ok(!stderr.includes("s3cret"));
    await assert.rejects(readdir(second), { code: "ENOENT" });
  });

  it("runs twice on one machine, with embedded parts and another offset", async () => {
    const second = join(parent, "second");
    const shifted = await findFreeOffset();
    const parts = ["--servers", "1", "--kvdb", "embedded", "--balancer", "embedded"];
    const words = ["quickstart", "create", second, "--start", "--port-offset", `${shifted}`];

    const result = await cliJson<QuickstartResult>([...words, ...parts]);
    const answers = [
      await json(`${result.balancer.url}/demo/hello`),
      await json(`${created.balancer.url}/demo/hello`),
    ];
    await cliOk(["quickstart", "stop", second]);
    await cliOk(["quickstart", "delete", second, "--yes"]);

    assert.deepEqual(answers, [{ hello: "world" }, { hello: "world" }]);
    await assert.rejects(readdir(second), { code: "ENOENT" });
  });

  it("shows a component that was killed as crashed, and start brings it back", async () => {
    const killed = (await statusOf(demo)).components.find(({ name }) => name === "server2")!;
    process.kill(killed.pid!, "SIGKILL");
    const crashed = await poll(async () => {
      const status = await statusOf(demo);
      const { state } = status.components.find(({ name }) => name === "server2")!;
      return state === "crashed" ? status.state : undefined;
    }, { timeoutMs: 20_000 });

    await cliOk(["start", demo]);

    assert.equal(crashed, "partial");
    assert.equal((await statusOf(demo)).state, "running");
    assert.deepEqual(await json(`${created.servers[1]!.url}/demo/hello`), { hello: "world" });
  });

  it("stops and starts again with everything it had, and stopping twice is harmless", async () => {
    const first = await cliOk(["quickstart", "stop", demo]);
    const second = await cliOk(["quickstart", "stop", demo]);
    const stopped = await statusOf(demo);
    await cliOk(["quickstart", "start", demo]);

    assert.match(first.stderr, /^Web admin [\s\S]*: stopped\nKVDB .*: stopped\n$/);
    assert.equal(second.stderr.match(/: not running\n/g)?.length, 5);
    assert.equal(stopped.state, "stopped");
    assert.deepEqual(await json(`${created.balancer.url}/demo/hello`), { hello: "world" });
  });

  it("stops again what it had started when one component cannot start, and says why", async () => {
    await cliOk(["quickstart", "stop", demo]);
    const squatter = await listen(8183 + offset);
    try {
      const { code, stderr } = await cli(["quickstart", "start", demo]);

      assert.equal(code, 1);
      assert.match(stderr, /Port \d+ \(http of web admin "web-admin"\) is taken by process \d+ \(/);
      assert.equal((await statusOf(demo)).state, "stopped");
    } finally {
      squatter.close();
    }
    await cliOk(["quickstart", "start", demo]);
  });

  it("quotes what a component said that could not start, and leaves nothing running", async () => {
    const config = join(demo, "server1", "config.yaml");
    const good = await readFile(config, "utf8");
    await cliOk(["quickstart", "stop", demo]);
    const key = join(demo, "server1", "secrets", "cluster.key");
    const text = await readFile(key, "utf8");
    await writeFile(key, "not a key\n");
    try {
      const { code, stderr } = await cli(["quickstart", "start", demo]);

      assert.equal(code, 1);
      assert.match(stderr, /Error: Server "server1" did not start: .*no usable cluster key/);
      assert.match(stderr, /server1\/log\/server\.log/);
      assert.equal((await statusOf(demo)).state, "stopped");
    } finally {
      await writeFile(key, text);
    }
    await writeFile(config, good.replace("workers:", "wrokers:"));
    const refused = await cli(["quickstart", "start", demo]);
    await writeFile(config, good);
    await cliOk(["quickstart", "start", demo]);

    assert.match(
      refused.stderr,
      /config\.yaml:\d+:\d+: Unknown field "wrokers", did you mean "workers"/,
    );
  });
});

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
