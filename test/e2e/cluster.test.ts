import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import type { DeploymentView, ServerList } from "../../src/admin-api/api.ts";
import type { ClusterSummary } from "../../src/cli/cluster/summary.ts";
import { poll } from "../../src/lib/wait.ts";
import type { BalancerStatus } from "../../src/load-balancer/api.ts";
import { runLoad } from "../../src/rehearsal/load/ledger.ts";
import { dragoman, type Quickstart, startQuickstart } from "./quickstart.ts";

let cluster: Quickstart;

before(async () => {
  cluster = await startQuickstart(["--balancer", "haproxy", "--workers", "2"]);
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

const hello = (name: string) => `${cluster.balancerUrl}/demo/hello?name=${name}`;

async function get(url: string): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(url, { headers: { connection: "close" } });
  return { status: response.status, body: await response.text() };
}

async function serverUp(name: string): Promise<void> {
  const up = await poll(async () => {
    const { servers } = await cluster.json<BalancerStatus>("lb", "status");
    return servers.find((server) => server.name === name)?.state === "up" || undefined;
  }, { timeoutMs: 20_000, intervalMs: 200 });
  assert.ok(up, `the balancer does not see ${name} up`);
}

async function component(name: string) {
  const found = (await cluster.components()).find((candidate) => candidate.name === name);
  assert.ok(found, `no component ${name}`);
  return found;
}

async function file(name: string, text: string): Promise<string> {
  const path = join(cluster.directory, name);
  await writeFile(path, text);
  return path;
}

function serviceSource(name: string, answer: string): string {
  return `import { defineService, z } from "dragoman";
export const service = defineService({
  name: ${JSON.stringify(name)},
  output: z.object({ answer: z.string() }),
  handle: () => ({ answer: ${JSON.stringify(answer)} }),
});
`;
}

describe("A quickstart cluster", () => {
  it("answers through the balancer, from either server", async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => fetch(hello("Ana"))));
    const servers = answers.map(({ headers }) => headers.get("x-dragoman-server"));

    for (const answer of answers) {
      assert.equal(answer.status, 200);
      assert.deepEqual(await answer.json(), { hello: "Ana" });
      assert.ok(answer.headers.get("x-dragoman-cid"));
    }
    assert.deepEqual(new Set(servers), new Set(["server1", "server2"]));
  });

  it("says of every component that it runs", async () => {
    const components = await cluster.components();

    assert.deepEqual(components.map(({ name }) => name).sort(), [
      "kvdb",
      "load-balancer",
      "server1",
      "server2",
      "web-admin",
    ]);
    assert.deepEqual(new Set(components.map(({ state }) => state)), new Set(["running"]));
  });

  it("runs the same state on every worker of every server", async () => {
    const { servers, revision } = await cluster.json<ServerList>("server", "list");

    assert.deepEqual(servers.map((server) => server.revision), [revision, revision]);
    assert.equal(new Set(servers.map((server) => server.stateHash)).size, 1);
    assert.ok(servers[0]?.stateHash);
  });
});

describe("A deployment", () => {
  it("is live on every server when the command ends", async () => {
    const path = await file("answer.ts", serviceSource("test.answer", "one"));
    const objects = await file(
      "answer.yaml",
      "apiVersion: dragoman/v1\nkind: RestChannel\nname: test.answer\n" +
        "spec: { path: /answer, methods: [GET], service: test.answer, security: none }\n",
    );

    const deployed = await cluster.run("deploy", path);
    const applied = await cluster.run("apply", "-f", objects);

    assert.equal(deployed.exitCode, 0, deployed.stderr);
    assert.match(deployed.stdout, /server1[\s\S]*live/);
    assert.match(deployed.stdout, /server2[\s\S]*live/);
    assert.equal(applied.exitCode, 0, applied.stderr);
    const url = `${cluster.balancerUrl}/answer`;
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(url)));
    assert.deepEqual(new Set(answers.map(({ body }) => body)), new Set(['{"answer":"one"}']));
  });

  it("fails no request while new code goes live", async () => {
    const over = new AbortController();
    const load = runLoad({
      url: `${cluster.balancerUrl}/answer`,
      requests: 100_000,
      ratePerSecond: 400,
      signal: over.signal,
    });
    for (const answer of ["two", "three", "four"]) {
      const path = await file("answer.ts", serviceSource("test.answer", answer));
      const { exitCode, stderr } = await cluster.run("deploy", path);
      assert.equal(exitCode, 0, stderr);
    }
    over.abort();
    const result = await load;

    assert.ok(result.sent > 400, `only ${result.sent} requests`);
    assert.deepEqual(result.failed, []);
    assert.equal((await get(`${cluster.balancerUrl}/answer`)).body, '{"answer":"four"}');
  });

  for (
    const [what, source, place] of [
      ["does not compile", "export const a = ;\n", /answer\.ts:1:18/],
      [
        "throws while it loads",
        `${serviceSource("test.answer", "x")}throw new Error("no");\n`,
        /answer\.ts:7:/,
      ],
      [
        "never finishes its import",
        `${serviceSource("test.answer", "x")}process.exit(1);\n`,
        /exit/,
      ],
      ["has no service", "export const a = 1;\n", /service/],
    ] as const
  ) {
    it(`that ${what} leaves the old code serving and says where`, async () => {
      const before = await cluster.json<readonly DeploymentView[]>("deployment", "list");
      const path = await file("answer.ts", source);

      const { exitCode, stdout, stderr } = await cluster.run("deploy", path);

      assert.equal(exitCode, 1, stdout);
      assert.match(stderr + stdout, place);
      assert.equal((await get(`${cluster.balancerUrl}/answer`)).body, '{"answer":"four"}');
      assert.deepEqual(await cluster.json("deployment", "list"), before);
    });
  }

  for (
    const [what, source] of [
      ["fails to load", `${serviceSource("test.answer", "x")}throw new Error("no");\n`],
      ["does not compile", "export const a = ;\n"],
    ] as const
  ) {
    it(`that ${what} names every server's outcome`, async () => {
      const { stdout, stderr } = await cluster.run("deploy", await file("answer.ts", source));

      assert.match(stdout + stderr, /server1: (failed|not offered)/);
      assert.match(stdout + stderr, /server2: (failed|not offered)/);
    });
  }
});

describe("The README's example", () => {
  it("does what the README says", async () => {
    const readme = await readFile(resolve(import.meta.dirname!, "../../README.md"), "utf8");
    const block = (language: string) =>
      new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme)?.[1] ?? "";

    const deployed = await cluster.run("deploy", await file("greet.ts", block("ts")));
    const applied = await cluster.run("apply", "-f", await file("greet.yaml", block("yaml")));
    const { body } = await get(`${cluster.balancerUrl}/greet/Ana?times=2`);

    assert.equal(deployed.exitCode, 0, deployed.stderr);
    assert.equal(applied.exitCode, 0, applied.stderr);
    assert.ok(readme.includes(`# ${body}`), body);
  });
});

describe("Objects", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["an unknown kind", "kind: RestChanel\nname: a\nspec: {}", /RestChanel.*RestChannel/],
    [
      "an unknown field",
      "kind: RestChannel\nname: a\nspec: { path: /a, servise: demo.hello, service: demo.hello, security: none }",
      /bad\.yaml:4.*servise.*did you mean "service"/,
    ],
    [
      "a wrong type",
      "kind: RestChannel\nname: a\nspec: { path: 5, service: demo.hello, security: none }",
      /bad\.yaml:4.*path/,
    ],
    ["a missing secret", "kind: ApiKey\nname: a\nspec: {}", /key.*secret|secret.*key|"key"/i],
    [
      "a service that does not exist",
      "kind: RestChannel\nname: a\nspec: { path: /a, service: demo.helo, security: none }",
      /demo\.helo.*demo\.hello/,
    ],
    [
      "a channel without a word on security",
      "kind: RestChannel\nname: a\nspec: { path: /a, service: demo.hello }",
      /security/,
    ],
    [
      "a path that another channel has",
      "kind: RestChannel\nname: a\nspec: { path: /demo/hello, service: demo.hello, security: none }",
      /demo\.hello/,
    ],
    ["broken YAML", "kind: RestChannel\nname: [a\nspec: {}", /bad\.yaml:\d+:\d+/],
  ];
  for (const [what, text, message] of cases) {
    it(`with ${what} are refused and change nothing`, async () => {
      const before = await cluster.json<readonly unknown[]>("get");
      const path = await file("bad.yaml", `apiVersion: dragoman/v1\n${text}\n`);

      const { exitCode, stderr } = await cluster.run("apply", "-f", path);

      assert.equal(exitCode, 1, stderr);
      assert.match(stderr.replaceAll("\n", " "), message);
      assert.deepEqual(await cluster.json("get"), before);
    });
  }

  it("keep their channels closed to wrong keys and open to right ones", async () => {
    const path = await file(
      "secured.yaml",
      "apiVersion: dragoman/v1\nkind: ApiKey\nname: test-key\nspec: { key: 'correct-horse-battery' }\n---\n" +
        "apiVersion: dragoman/v1\nkind: RestChannel\nname: secured\n" +
        "spec: { path: /secured, methods: [GET], service: demo.hello, security: [test-key] }\n",
    );
    const applied = await cluster.run("apply", "-f", path);
    const again = await cluster.run("apply", "-f", path);
    const url = `${cluster.balancerUrl}/secured`;

    const statuses = await Promise.all([
      fetch(url),
      fetch(url, { headers: { "x-api-key": "wrong" } }),
      fetch(url, { headers: { "x-api-key": "correct-horse-battery" } }),
    ].map(async (response) => (await response).status));

    assert.equal(applied.exitCode, 0, applied.stderr);
    assert.match(again.stdout, /unchanged/);
    assert.deepEqual(statuses, [401, 401, 200]);
    assert.doesNotMatch((await cluster.run("get", "ApiKey", "-o", "yaml")).stdout, /horse/);
  });

  it("that are used cannot be deleted, and the users are named", async () => {
    const refused = await cluster.run("delete", "ApiKey", "test-key", "--yes");
    const channel = await cluster.run("delete", "RestChannel", "secured", "--yes");
    const key = await cluster.run("delete", "ApiKey", "test-key", "--yes");

    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /RestChannel.*secured/s);
    assert.equal(channel.exitCode, 0, channel.stderr);
    assert.equal(key.exitCode, 0, key.stderr);
    assert.equal((await get(`${cluster.balancerUrl}/secured`)).status, 404);
  });
});

describe("Under load", () => {
  it("a killed worker costs no more than the requests it held", async () => {
    const concurrency = 8;
    const { servers } = await cluster.json<ServerList>("server", "list");
    const [pid] = await workerPids("server1");

    const result = await runLoad({
      url: servers[0]!.url + "/demo/hello?name=a",
      requests: 8_000,
      concurrency,
      onResponse: afterAnswers(1_000, () => process.kill(pid!, "SIGKILL")),
    });

    assert.ok(result.failed.length <= concurrency, JSON.stringify(result.failed));
    assert.equal(result.sent, 8_000);
  });

  it("a server killed with all its workers costs no GET through HAProxy", async () => {
    const { pid } = await component("server2");
    const workers = await workerPids("server2");

    const result = await runLoad({
      url: hello("a"),
      requests: 10_000,
      concurrency: 16,
      onResponse: afterAnswers(2_000, () => {
        for (const victim of [pid!, ...workers]) process.kill(victim, "SIGKILL");
      }),
    });
    const path = await file("answer.ts", serviceSource("test.answer", "without server2"));
    const deployed = await cluster.run("deploy", path);
    const restarted = await dragoman(["start", join(cluster.directory, "server2")]);

    assert.deepEqual(result.failed, []);
    assert.match(deployed.stdout, /server1 +live/);
    assert.match(deployed.stdout, /server2 +(unreachable .*it follows|live)/);
    assert.equal(restarted.exitCode, 0, restarted.stderr);
    await serverUp("server2");
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => get(`${cluster.balancerUrl}/answer`)),
    );
    assert.deepEqual(
      new Set(answers.map(({ body }) => body)),
      new Set(['{"answer":"without server2"}']),
    );
  });

  it("stopping a server drains it: nothing fails", async () => {
    const over = new AbortController();
    const load = runLoad({
      url: hello("a"),
      requests: 1_000_000,
      concurrency: 16,
      signal: over.signal,
    });
    const stopped = await dragoman(["stop", join(cluster.directory, "server1")]);
    over.abort();
    const result = await load;
    const started = await dragoman(["start", join(cluster.directory, "server1")]);

    assert.equal(stopped.exitCode, 0, stopped.stderr);
    assert.equal(started.exitCode, 0, started.stderr);
    assert.deepEqual(result.failed, []);
    await serverUp("server1");
  });
});

/** Does something once, when so many answers have come: in the middle of the load. */
function afterAnswers(count: number, act: () => void): () => void {
  let answers = 0;
  return () => {
    if (++answers === count) act();
  };
}

async function workerPids(name: string): Promise<readonly number[]> {
  const { servers } = await cluster.json<ClusterSummary>("status");
  const server = servers.find((candidate) => "name" in candidate && candidate.name === name);
  assert.ok(server !== undefined && "workers" in server, `${name} does not answer`);
  return server.workers.map(({ pid }) => pid);
}
