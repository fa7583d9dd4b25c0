import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import type { InvocationDetail, ServerList } from "../../src/admin-api/api.ts";
import { poll } from "../../src/lib/wait.ts";
import { runLoad } from "../../src/rehearsal/load/ledger.ts";
import { type Quickstart, startQuickstart } from "./quickstart.ts";

const launcher = resolve(import.meta.dirname!, "../../dragoman");
let cluster: Quickstart;

const source = `
  import { defineService, z } from "dragoman";

  export const echo = defineService({
    name: "test.echo",
    input: z.object({ id: z.string() }),
    handle: ({ input }) => ({ id: input.id }),
  });

  export const slow = defineService({
    name: "test.slow",
    async handle({ input }) {
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      return { done: true };
    },
  });
`;
const channel = `
apiVersion: dragoman/v1
kind: RestChannel
name: test.echo
spec: { path: /echo, methods: [GET, POST, DELETE], service: test.echo, security: none }
`;

async function file(name: string, text: string): Promise<string> {
  const path = join(cluster.directory, name);
  await writeFile(path, text);
  return path;
}

async function incarnations(): Promise<ReadonlyMap<string, string>> {
  const { servers } = await cluster.json<ServerList>("server", "list");
  return new Map(servers.map(({ name, incarnation }) => [name, incarnation]));
}

before(async () => {
  cluster = await startQuickstart();
  const deployed = await cluster.run("deploy", await file("echo.ts", source));
  assert.equal(deployed.exitCode, 0, deployed.stderr);
  const applied = await cluster.run("apply", "-f", await file("echo.yaml", channel));
  assert.equal(applied.exitCode, 0, applied.stderr);
});

after(() => cluster?.[Symbol.asyncDispose]());

describe("dragoman restart --rolling", () => {
  it("restarts every server, and fails no request of any method", async () => {
    const old = await incarnations();
    const over = new AbortController();
    const loads = ["GET", "POST", "DELETE"].map((method) =>
      runLoad({
        url: `${cluster.balancerUrl}/echo`,
        method,
        ...(method === "POST" ? { body: "{}" } : {}),
        requests: 1_000_000,
        ratePerSecond: 100,
        signal: over.signal,
      })
    );

    const restarted = await cluster.run("restart", "--rolling");
    over.abort();
    const reports = await Promise.all(loads);

    assert.equal(restarted.exitCode, 0, restarted.stderr);
    for (const name of old.keys()) {
      assert.match(restarted.stderr, new RegExp(`${name} \\(\\d of 2\\): back in`));
    }
    assert.match(restarted.stdout, /^Restarted server1, server2; 0 of \d+ requests failed/);
    for (const { sent, failed } of reports) {
      assert.ok(sent > 200, `only ${sent} requests`);
      assert.deepEqual(failed, []);
    }
    const now = await incarnations();
    for (const [name, incarnation] of old) assert.notEqual(now.get(name), incarnation);
  });

  it("lets an invocation finish that runs on a server whose turn has come", async () => {
    const { id } = await cluster.json<{ readonly id: string }>(
      "invocation",
      "create",
      "test.slow",
      "--attempts",
      "1",
    );
    const show = () => cluster.json<InvocationDetail>("invocation", "show", id);
    assert.ok(
      await poll(async () => (await show()).state === "running" || undefined, {
        timeoutMs: 10_000,
      }),
    );

    const { exitCode, stderr } = await cluster.run("restart", "--rolling");

    assert.equal(exitCode, 0, stderr);
    const { state, attempts } = await show();
    assert.deepEqual({ state, attempts }, { state: "done", attempts: 1 });
  });

  it("stops at a server that does not come back, and leaves the others alone", async () => {
    const config = join(cluster.directory, "server1", "config.yaml");
    const good = await readFile(config, "utf8");
    const old = await incarnations();
    await writeFile(config, `${good}\nnonsense: true\n`);
    try {
      const { exitCode, stderr } = await cluster.run("restart", "--rolling", "--limit", "12");

      assert.equal(exitCode, 1);
      assert.match(stderr, /server1 is not back 12 s after its restart began: stopped/);
      assert.match(stderr, /restart the others once it is up: server2/);
      assert.equal((await incarnations()).get("server2"), old.get("server2"));
      const again = await cluster.run("restart", "--rolling");
      assert.equal(again.exitCode, 0, "a server that left cleanly is not waited for");
    } finally {
      await writeFile(config, good);
    }
  });

  it("has a service manager start a server anew that it looks after", async () => {
    await using manager = new ServiceManager(join(cluster.directory, "server1"));
    const up = await poll(async () => {
      const { servers } = await cluster.json<ServerList>("server", "list");
      return servers.every(({ state }) => state === "up") || undefined;
    }, { timeoutMs: 30_000 });
    assert.ok(up);
    const old = await incarnations();

    const { exitCode, stderr } = await cluster.run("restart", "--rolling");

    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(manager.exitCodes, [75]);
    assert.notEqual((await incarnations()).get("server1"), old.get("server1"));
  });

  it("does nothing while an operator keeps all requests from a server", async () => {
    const old = await incarnations();
    assert.equal((await cluster.run("lb", "weight", "server2", "0")).exitCode, 0);

    const { exitCode, stderr } = await cluster.run("restart", "--rolling");

    assert.equal(exitCode, 1);
    assert.match(stderr, /the balancer sends no traffic to server2; nothing was restarted/);
    assert.deepEqual(await incarnations(), old);
  });
});

/** Does what systemd does with `Restart=on-failure`. */
class ServiceManager {
  readonly exitCodes: (number | null)[] = [];
  readonly #directory: string;
  #child: ChildProcess;
  #stopping = false;

  constructor(directory: string) {
    this.#directory = directory;
    this.#child = this.#start();
  }

  #start(): ChildProcess {
    const words = ["start", this.#directory, "--foreground"];
    const child = spawn(launcher, words, { stdio: "ignore" });
    child.once("exit", (code) => {
      if (this.#stopping) return;
      this.exitCodes.push(code);
      if (code !== 0) this.#child = this.#start();
    });
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }
}
