import assert from "node:assert/strict";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ServerList } from "../../src/admin-api/api.ts";
import type { BalancerStatus } from "../../src/load-balancer/api.ts";
import { runLoad } from "../../src/rehearsal/load/ledger.ts";
import type { DatabasePeer } from "../peers/database-process.ts";
import { startMariadb } from "../peers/mariadb.ts";
import { becomeOrdinaryUser, type OrdinaryUser } from "./ordinary-user.ts";
import { dragoman, freeOffset, type Quickstart, startQuickstart } from "./quickstart.ts";

describe("A cluster of embedded parts, made by an ordinary user", () => {
  let user: OrdinaryUser;
  let directory: string;
  let url: string;

  before(async () => {
    user = await becomeOrdinaryUser();
    directory = join(user.directory, "demo");
    const args = ["--balancer", "embedded", "--kvdb", "embedded", "--servers", "1"];
    const offset = String(await freeOffset());
    const created = await user.run(
      ...[
        "quickstart",
        "create",
        directory,
        "--start",
        "--port-offset",
        offset,
        "-o",
        "json",
        ...args,
      ],
    );
    assert.equal(created.exitCode, 0, created.stderr);
    url = JSON.parse(created.stdout).balancer.url;
  });

  after(async () => {
    await user.run("quickstart", "stop", directory);
    await user[Symbol.asyncDispose]();
  });

  it("answers under load", async () => {
    const load = await runLoad({ url: `${url}/demo/hello?name=Ana`, requests: 1_000 });

    assert.deepEqual(load.failed, []);
  });

  it("keeps its secrets from everybody else", async () => {
    const readable: string[] = [];
    for (const component of ["kvdb", "load-balancer", "server1", "web-admin", "."]) {
      for (const folder of ["secrets", "tls"]) {
        const path = join(directory, component, folder);
        for (const name of await readdir(path).catch(() => [])) {
          if (((await stat(join(path, name))).mode & 0o077) !== 0) readable.push(join(path, name));
        }
      }
    }

    assert.deepEqual(readable, []);
  });

  it("shows no secret in the arguments of its processes", async () => {
    const { stdout } = await user.run("quickstart", "status", directory, "-o", "json");
    const pids: readonly number[] = JSON.parse(stdout).components.map((row: { pid: number }) =>
      row.pid
    );
    const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8")));

    for (const line of lines) assert.match(line.replaceAll("\0", " "), /start .*--foreground *$/);
  });

  it("stops, starts again and is deleted", async () => {
    const stopped = await user.run("quickstart", "stop", directory);
    const started = await user.run("quickstart", "start", directory);
    const again = await user.run("quickstart", "start", directory);
    const load = await runLoad({ url: `${url}/demo/hello`, requests: 20 });
    const refused = await user.run("quickstart", "delete", directory, "--yes");
    await user.run("quickstart", "stop", directory);
    const deleted = await user.run("quickstart", "delete", directory, "--yes");

    assert.deepEqual(
      [stopped.exitCode, started.exitCode, again.exitCode],
      [0, 0, 0],
      started.stderr,
    );
    assert.match(again.stdout + again.stderr, /already running/);
    assert.deepEqual(load.failed, []);
    assert.match(refused.stderr, /is running/);
    assert.equal(deleted.exitCode, 0, deleted.stderr);
    await assert.rejects(stat(directory));
  });
});

describe("A cluster on MariaDB", () => {
  let mariadb: DatabasePeer;
  let cluster: Quickstart;

  before(async () => {
    mariadb = await startMariadb();
    cluster = await startQuickstart(
      ["--odb", "mysql", "--odb-url", await mariadb.createDatabase("variants"), "--servers", "3"],
      { DRAGOMAN_ODB_PASSWORD: mariadb.password },
    );
  });

  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await mariadb?.stop();
  });

  it("spreads requests over its three servers", async () => {
    const load = await runLoad({ url: `${cluster.balancerUrl}/demo/hello`, requests: 300 });

    assert.deepEqual(load.failed, []);
    assert.deepEqual([...load.byServer.keys()].sort(), ["server1", "server2", "server3"]);
  });

  it("is known to its balancer by the addresses its servers registered", async () => {
    const { servers } = await cluster.json<BalancerStatus>("lb", "status");

    assert.deepEqual(
      servers.map(({ name, address }) => `${name} http://${address}`).sort(),
      cluster.servers.map(({ name, url }) => `${name} ${url}`),
    );
  });

  it("forgets a server that will not come back, and only such a one", async () => {
    const refused = await cluster.run("server", "delete", "server3", "--yes");
    await dragoman(["stop", join(cluster.directory, "server3")]);
    const forgotten = await cluster.run("server", "delete", "server3", "--yes");
    const { servers } = await cluster.json<ServerList>("server", "list");
    const balancer = await cluster.json<BalancerStatus>("lb", "status");

    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /Server "server3" is up/);
    assert.equal(forgotten.exitCode, 0, forgotten.stderr);
    assert.deepEqual(servers.map(({ name }) => name), ["server1", "server2"]);
    assert.deepEqual(balancer.servers.map(({ name }) => name).sort(), ["server1", "server2"]);
  });
});
