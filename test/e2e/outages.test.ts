import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ServerList } from "../../src/admin-api/api.ts";
import { poll } from "../../src/lib/wait.ts";
import { runLoad } from "../../src/rehearsal/load/ledger.ts";
import type { DatabasePeer } from "../peers/database-process.ts";
import { startPostgresql } from "../peers/postgresql.ts";
import { dragoman, type Quickstart, startQuickstart } from "./quickstart.ts";

let postgresql: DatabasePeer;
let cluster: Quickstart;

before(async () => {
  postgresql = await startPostgresql();
  // The password goes by the environment: it must not stand in the arguments of a process.
  cluster = await startQuickstart(
    ["--odb", "postgresql", "--odb-url", await postgresql.createDatabase("outages")],
    { DRAGOMAN_ODB_PASSWORD: postgresql.password },
  );
});

after(async () => {
  await cluster?.[Symbol.asyncDispose]();
  await postgresql?.stop();
});

const directory = (name: string) => join(cluster.directory, name);

async function status(path: string): Promise<number> {
  const response = await fetch(`${cluster.balancerUrl}${path}`, {
    headers: { connection: "close" },
  });
  await response.body?.cancel();
  return response.status;
}

async function channelFile(name: string): Promise<string> {
  const path = directory(`${name}.yaml`);
  const spec = `{ path: /${name}, methods: [GET], service: demo.hello, security: none }`;
  await writeFile(
    path,
    `apiVersion: dragoman/v1\nkind: RestChannel\nname: ${name}\nspec: ${spec}\n`,
  );
  return path;
}

describe("With a frozen ODB", () => {
  before(() => postgresql.freeze());
  after(() => postgresql.thaw());

  it("requests are answered as before, and a change is refused in time", async () => {
    const over = new AbortController();
    const load = runLoad({
      url: `${cluster.balancerUrl}/demo/hello?name=a`,
      requests: 100_000,
      ratePerSecond: 300,
      signal: over.signal,
    });
    const refused = await cluster.run("apply", "-f", await channelFile("frozen"));
    over.abort();
    const report = await load;

    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /ODB at .* cannot be used|did not answer/);
    assert.deepEqual(report.failed, []);
    assert.ok(report.sent > 300, `only ${report.sent} requests`);
  });
});

describe("With ODB and KVDB gone", () => {
  before(async () => {
    const stopped = await dragoman(["stop", directory("kvdb")]);
    assert.equal(stopped.exitCode, 0, stopped.stderr);
    await postgresql.kill();
  });

  it("requests are answered as before", async () => {
    const load = await runLoad({
      url: `${cluster.balancerUrl}/demo/hello?name=a`,
      requests: 3_000,
    });

    assert.deepEqual(load.failed, []);
    assert.deepEqual(new Set(load.byServer.keys()), new Set(["server1", "server2"]));
  });

  it("a change is refused with the reason, and nothing hangs", async () => {
    const { exitCode, stderr } = await cluster.run("apply", "-f", await channelFile("later"));

    assert.equal(exitCode, 1);
    assert.match(stderr, /ODB at .* cannot be used/);
  });

  it("a server that is killed and started serves from what it kept on disk", async () => {
    const { pid } = (await cluster.components()).find(({ name }) => name === "server1")!;
    process.kill(pid!, "SIGKILL");
    const started = await dragoman(["start", directory("server1")]);
    assert.equal(started.exitCode, 0, started.stderr);
    // Only this one is left: what is answered now comes from its disk.
    const stopped = await dragoman(["stop", directory("server2")]);
    assert.equal(stopped.exitCode, 0, stopped.stderr);

    const seen = await poll(async () => await status("/demo/hello") === 200 || undefined, {
      timeoutMs: 15_000,
    });
    const response = await fetch(`${cluster.balancerUrl}/demo/hello?name=Ana`);

    assert.equal(seen, true);
    assert.equal(response.headers.get("x-dragoman-server"), "server1");
    assert.deepEqual(await response.json(), { hello: "Ana" });
  });

  it("a second server starts from its disk, too", async () => {
    const started = await dragoman(["start", directory("server2")]);
    const load = await poll(async () => {
      const report = await runLoad({ url: `${cluster.balancerUrl}/demo/hello`, requests: 100 });
      return report.byServer.has("server2") ? report : undefined;
    }, { timeoutMs: 15_000 });

    assert.equal(started.exitCode, 0, started.stderr);
    assert.deepEqual(load?.failed, []);
  });
});

describe("When they are back", () => {
  before(async () => {
    await postgresql.restart();
    const started = await dragoman(["start", directory("kvdb")]);
    assert.equal(started.exitCode, 0, started.stderr);
  });

  it("every server follows again", async () => {
    const path = await channelFile("later");
    // A server may still be in its last attempt to reach the ODB; the command says so, and is repeated.
    const applied = await poll(async () => {
      const result = await cluster.run("apply", "-f", path);
      return result.exitCode === 0 ? result : undefined;
    }, { timeoutMs: 20_000, intervalMs: 200 });
    const converged = await poll(async () => {
      const { servers, revision } = await cluster.json<ServerList>("server", "list");
      const same = servers.every((server) => server.revision === revision && server.state === "up");
      return same || undefined;
    }, { timeoutMs: 20_000, intervalMs: 200 });

    assert.ok(applied);
    assert.equal(converged, true);
    assert.equal(await status("/later"), 200);
  });
});
