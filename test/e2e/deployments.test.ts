import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse, stringify } from "yaml";
import type { DeploymentDetail, DeploymentView } from "../../src/admin-api/api.ts";
import { poll } from "../../src/lib/wait.ts";
import { type LoadReport, runLoad } from "../../src/rehearsal/load/ledger.ts";
import { dragoman, type Quickstart, startQuickstart } from "./quickstart.ts";

let cluster: Quickstart;
/** A `services` and a `pickup` directory of both servers. */
let services: string;
let pickup: string;

before(async () => {
  cluster = await startQuickstart(["--balancer", "haproxy", "--workers", "2"]);
  services = join(cluster.directory, "own/services");
  pickup = join(cluster.directory, "own/pickup");
  await mkdir(services, { recursive: true });
  await writeFile(join(services, "boot.ts"), source("test.boot", "booted"));
  await writeFile(join(services, "broken.ts"), "export const a = ;\n");
  for (const name of ["server1", "server2"]) {
    await configure(name, { services: [services], pickup });
  }
  await Promise.all(["server1", "server2"].map(restart));
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

async function configure(name: string, settings: Record<string, unknown>): Promise<void> {
  const path = join(cluster.directory, name, "config.yaml");
  await writeFile(path, stringify({ ...parse(await readFile(path, "utf8")), ...settings }));
}

async function restart(name: string): Promise<void> {
  const result = await dragoman(["restart", join(cluster.directory, name)]);
  assert.equal(result.exitCode, 0, result.stderr);
}

function source(name: string, answer: string): string {
  return `import { defineService, z } from "dragoman";
export const service = defineService({
  name: ${JSON.stringify(name)},
  output: z.object({ answer: z.string() }),
  handle: () => ({ answer: ${JSON.stringify(answer)} }),
});
`;
}

async function deploy(name: string, text: string): Promise<void> {
  const path = join(cluster.directory, name);
  await writeFile(path, text);
  const { exitCode, stderr } = await cluster.run("deploy", path);
  assert.equal(exitCode, 0, stderr);
}

async function expose(path: string, service: string): Promise<void> {
  const file = join(cluster.directory, "channel.yaml");
  const spec = `{ path: /${path}, methods: [GET], service: ${service}, security: none }`;
  await writeFile(
    file,
    `apiVersion: dragoman/v1\nkind: RestChannel\nname: ${path}\nspec: ${spec}\n`,
  );
  const { exitCode, stderr } = await cluster.run("apply", "-f", file);
  assert.equal(exitCode, 0, stderr);
}

async function answer(path: string): Promise<string> {
  const response = await fetch(`${cluster.balancerUrl}/${path}`, {
    headers: { connection: "close" },
  });
  return await response.text();
}

const show = (file: string) => cluster.json<DeploymentDetail>("deployment", "show", file);

async function current(file: string): Promise<DeploymentView | undefined> {
  const rows = await cluster.json<readonly DeploymentView[]>("deployment", "list");
  return rows.find((row) => row.file === file && row.current);
}

/** Waits until a file is current on the cluster. */
async function arrived(file: string): Promise<DeploymentView> {
  const row = await poll(() => current(file), { timeoutMs: 20_000, intervalMs: 200 });
  assert.ok(row, `${file} never came`);
  return row;
}

/** Load on one path while `work` is done. */
async function underLoad(path: string, work: () => Promise<void>): Promise<LoadReport> {
  const over = new AbortController();
  const load = runLoad({
    url: `${cluster.balancerUrl}/${path}`,
    requests: 100_000,
    ratePerSecond: 300,
    signal: over.signal,
  });
  try {
    await work();
  } finally {
    over.abort();
  }
  return await load;
}

describe("A version of a file", () => {
  before(async () => {
    await deploy("answer.ts", source("test.answer", "one"));
    await expose("answer", "test.answer");
    await deploy("answer.ts", source("test.answer", "two"));
  });

  it("is shown with its history and what every worker runs", async () => {
    const detail = await show("answer.ts");
    const text = await cluster.run("deployment", "show", "answer.ts");

    const [two, one] = detail.history;
    assert.deepEqual([two?.current, one?.current], [true, false]);
    assert.match(two?.deployedBy ?? "", /^operator\//);
    assert.deepEqual(detail.servers.map(({ server, outcome }) => [server, outcome]), [
      ["server1", "live"],
      ["server2", "live"],
    ]);
    const hashes = detail.servers.flatMap(({ workers }) => workers.map(({ hash }) => hash));
    assert.deepEqual(hashes, Array(4).fill(two?.hash));
    assert.match(text.stdout, /current +test\.answer/);
    assert.match(text.stdout, /server2 +live +2 /);
  });

  it("is rolled back and forth under load without a failed request", async () => {
    const [two, one] = (await show("answer.ts")).history;

    const answers: string[] = [];
    const report = await underLoad("answer", async () => {
      for (const args of [[], [], ["--to", one!.hash.slice(0, 10)]]) {
        const { exitCode, stdout, stderr } = await cluster.run(
          "deployment",
          "rollback",
          "answer.ts",
          ...args,
        );
        assert.equal(exitCode, 0, stderr);
        assert.match(stdout, /server1 +live[^]*server2 +live/);
        answers.push(await answer("answer"));
      }
    });

    assert.deepEqual(answers, ['{"answer":"one"}', '{"answer":"two"}', '{"answer":"one"}']);
    assert.deepEqual(report.failed, []);
    assert.ok(report.sent > 100, String(report.sent));
    assert.equal((await current("answer.ts"))?.hash, one?.hash);
    const again = await cluster.run("deployment", "rollback", "answer.ts", "--to", one!.hash);
    assert.match(again.stdout, /Outcome: unchanged/);
    assert.ok(two);
  });

  it("that does not exist is not rolled back to", async () => {
    const wrong = await cluster.run("deployment", "rollback", "answer.ts", "--to", "ffffffff");
    const none = await cluster.run("deployment", "rollback", "boot.ts");
    const name = await cluster.run("deployment", "rollback", "anwser.ts");

    assert.match(wrong.stderr, /No version of "answer\.ts" has a hash that begins with ffffffff/);
    assert.match(none.stderr, /There is no earlier version of "boot\.ts"/);
    assert.match(name.stderr, /"anwser\.ts" does not exist, did you mean "answer\.ts"/);
  });
});

describe("A file that is deleted", () => {
  it("is kept while a channel uses its service, and the channel is named", async () => {
    const { exitCode, stderr } = await cluster.run("deployment", "delete", "answer.ts", "--yes");

    assert.equal(exitCode, 1);
    assert.match(stderr, /used by RestChannel "answer"/);
    assert.match(stderr, /RestChannel "answer" uses the service "test\.answer"/);
    assert.equal(await answer("answer"), '{"answer":"one"}');
  });

  it("goes without a failed request elsewhere, and comes back by a rollback", async () => {
    await deploy("gone.ts", source("test.gone", "gone"));

    const report = await underLoad("answer", async () => {
      const deleted = await cluster.run("deployment", "delete", "gone.ts", "--yes");
      assert.equal(deleted.exitCode, 0, deleted.stderr);
    });
    const services = await cluster.json<readonly { name: string }[]>("service", "list");
    const shown = await cluster.run("deployment", "show", "gone.ts");
    const back = await cluster.run("deployment", "rollback", "gone.ts");

    assert.deepEqual(report.failed, []);
    assert.ok(!services.some(({ name }) => name === "test.gone"));
    assert.match(shown.stdout, /not deployed any more/);
    assert.match(shown.stdout, /deleted .* by operator/);
    assert.equal(back.exitCode, 0, back.stderr);
    assert.ok(await current("gone.ts"));
  });
});

describe("A services directory", () => {
  it("is deployed at start, by one server, once", async () => {
    const { history, servers } = await show("boot.ts");

    assert.equal(history.length, 1);
    assert.match(history[0]!.deployedBy, /^server\/server[12]$/);
    assert.deepEqual(servers.map(({ outcome }) => outcome), ["live", "live"]);
  });

  it("logs a file that does not compile, with its line", async () => {
    const logs = await Promise.all(
      ["server1", "server2"].map((name) =>
        readFile(join(cluster.directory, name, "log/server.log"), "utf8")
      ),
    );

    assert.match(logs.join(""), /broken\.ts:1:18/);
  });

  it("changes nothing at the next start when nothing changed, and what did when it did", async () => {
    await restart("server1");
    const same = (await show("boot.ts")).history.length;
    await writeFile(join(services, "boot.ts"), source("test.boot", "again"));
    await restart("server1");
    const changed = await poll(async () => {
      const { history } = await show("boot.ts");
      return history.length > same ? history : undefined;
    }, { timeoutMs: 20_000 });

    assert.equal(same, 1);
    assert.equal(changed?.length, 2);
  });
});

describe("A pick-up directory", () => {
  before(async () => {
    await mkdir(join(pickup, "lib"), { recursive: true });
    await writeFile(join(pickup, "lib/price.ts"), "export const price = (n: number) => n * 2;\n");
    await mkdir(join(pickup, "node_modules/left"), { recursive: true });
    await writeFile(
      join(pickup, "node_modules/left/package.json"),
      '{ "name": "left", "version": "1.0.0", "main": "index.js" }',
    );
    await writeFile(
      join(pickup, "node_modules/left/index.js"),
      'const path = require("path");\nmodule.exports = (a, b) => path.join(a, b);\n',
    );
    await writeFile(join(pickup, "package.json"), '{ "name": "mine", "private": true }');
  });

  it("takes a file with its helper module and npm package, once, and says so", async () => {
    await drop(
      "shop.ts",
      `import { defineService } from "dragoman";
import left from "left";
import { price } from "./lib/price.ts";
export const shop = defineService({
  name: "test.shop",
  handle: () => ({ price: price(21), path: left("a", "b") }),
});
`,
    );
    await arrived("shop.ts");
    await expose("shop", "test.shop");

    assert.deepEqual(JSON.parse(await answer("shop")), { price: 42, path: "a/b" });
    const processed = await filesOf("processed");
    assert.equal(processed.filter((name) => name.startsWith("shop.")).length, 1);
    assert.equal((await show("shop.ts")).history.length, 1);
  });

  it("rejects a file that cannot be deployed and says why beside it", async () => {
    await drop("bad.ts", `${source("test.bad", "x")}\nthrow new Error("no luck");\n`);
    const text = await rejection("bad.");

    assert.match(text, /bad\.ts was not deployed/);
    assert.match(text, /no luck \(bad\.ts:8:/);
    assert.match(text, /server[12]: failed/);
    assert.equal(await current("bad.ts"), undefined);
  });

  it("waits for a file that is still being written", async () => {
    const path = join(pickup, "slow.ts");
    const whole = source("test.slow", "whole");
    const parts = whole.match(/[^]{1,20}/g)!;
    let text = "";
    for (const part of parts) {
      text += part;
      await writeFile(path, text);
      await new Promise((resolve) => setTimeout(resolve, 40)); // a slow writer
    }
    await arrived("slow.ts");

    assert.ok(!(await filesOf("rejected")).some((name) => name.startsWith("slow.")));
  });
});

describe("An error in a service", () => {
  it("shows the author's lines, also in helper modules and packages", async () => {
    await writeFile(
      join(pickup, "lib/deep.ts"),
      "// one\n// two\nexport function deep(): never {\n  throw new Error('deep');\n}\n",
    );
    await drop(
      "stack.ts",
      `import { defineService } from "dragoman";
import { deep } from "./lib/deep.ts";
export const stack = defineService({
  name: "test.stack",
  handle: () => deep(),
});
`,
    );
    await arrived("stack.ts");
    await expose("stack", "test.stack");
    const response = await fetch(`${cluster.balancerUrl}/stack`);
    const body = await response.text();
    const logs = await poll(async () => {
      const texts = await Promise.all(
        ["server1", "server2"].map((name) =>
          readFile(join(cluster.directory, name, "log/server.log"), "utf8")
        ),
      );
      return /deep\.ts:4:/.test(texts.join("")) ? texts.join("") : undefined;
    }, { timeoutMs: 10_000 });

    assert.equal(response.status, 500);
    assert.doesNotMatch(body, /deep/);
    assert.match(logs ?? "", /lib\/deep\.ts:4:\d+/);
    assert.match(logs ?? "", /stack\.ts:5:\d+/);
  });
});

describe("A server that starts late", () => {
  it("has everything before it takes traffic", async () => {
    const stopped = await dragoman(["stop", join(cluster.directory, "server2")]);
    assert.equal(stopped.exitCode, 0, stopped.stderr);
    await deploy("late.ts", source("test.late", "late"));
    await expose("late", "test.late");

    const report = await underLoad("late", async () => {
      const started = await dragoman(["start", join(cluster.directory, "server2")]);
      assert.equal(started.exitCode, 0, started.stderr);
      const joined = await poll(async () => {
        const response = await fetch(`${cluster.balancerUrl}/late`, {
          headers: { connection: "close" },
        });
        await response.body?.cancel();
        return response.headers.get("x-dragoman-server") === "server2" || undefined;
      }, { timeoutMs: 20_000 });
      assert.equal(joined, true);
    });

    assert.deepEqual(report.failed, []);
    assert.ok(report.byServer.has("server2"));
  });
});

async function drop(name: string, text: string): Promise<void> {
  // Complete when it appears, as a careful sender does it.
  const part = join(cluster.directory, `${name}.part`);
  await rm(part, { force: true });
  await writeFile(part, text);
  await rename(part, join(pickup, name));
}

const filesOf = (folder: string) => readdir(join(pickup, folder)).catch(() => []);

async function rejection(prefix: string): Promise<string> {
  const name = await poll(
    async () =>
      (await filesOf("rejected")).find((file) => file.startsWith(prefix) && file.endsWith(".txt")),
    { timeoutMs: 20_000 },
  );
  assert.ok(name, "it was not rejected");
  return await readFile(join(pickup, "rejected", name), "utf8");
}
